/** A copy of the program in which one thing is missing, to see that it was needed. */
import { cp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { PROGRAM_ROOT } from "../../sandbox/session/project.ts";
import type { Session } from "../../sandbox/session/session.ts";

const LEFT_OUT = new Set(["node_modules", ".git", ".ci", "docs", "test"]);
/** In components/readiness/ready-chart.ts: what others of the layer depend on. */
const ORDER = /^ {2}return (awaitReady\(name, part, \{[^]*?^ {2}\}\);)$/m;
const WITHOUT = '  const ready = $1\n  return name === "kserve-controller" ? placed : ready;';

/**
 * Lets a session run a program in which KServe's runtimes depend on the objects of its controller and not on its
 * readiness, which is all that the engine's own order can say. Until {@link mendOrder}.
 */
export async function breakOrder(session: Session, folder: string): Promise<void> {
  await cp(PROGRAM_ROOT, folder, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(basename(path)) || path === PROGRAM_ROOT,
  });
  await symlink(join(PROGRAM_ROOT, "node_modules"), join(folder, "node_modules"));
  const file = join(folder, "components", "readiness", "ready-chart.ts");
  const text = await readFile(file, "utf8");
  if (!ORDER.test(text)) throw new Error(`${file}: nothing to break`);
  await writeFile(file, text.replace(ORDER, WITHOUT));
  await useProgram(session, folder);
}

/** Lets a session run the program as it is. */
export async function mendOrder(session: Session, folder: string): Promise<void> {
  await useProgram(session, PROGRAM_ROOT);
  await rm(folder, { recursive: true, force: true });
}

async function useProgram({ layout }: Session, root: string): Promise<void> {
  const file = join(layout.project, "Pulumi.yaml");
  const text = await readFile(file, "utf8");
  const main = `main: ${relative(layout.project, join(root, "index.ts"))}`;
  await writeFile(file, text.replace(/^main: .*$/m, main));
}
