/** A copy of the program in which one thing is missing, to see that it was needed. */
import { cp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { PROGRAM_ROOT } from "../../sandbox/session/project.ts";
import type { Session } from "../../sandbox/session/session.ts";

const LEFT_OUT = new Set(["node_modules", ".git", ".ci", "docs", "test"]);
const WAIT = "untilReady(await connection.open(), part)";

/**
 * Lets a session run a program that does not wait for KServe's controller: its runtimes follow the controller's objects
 * at once, which is all that dependencies alone can say. Until {@link mendOrder}.
 */
export async function breakOrder(session: Session, folder: string): Promise<void> {
  await cp(PROGRAM_ROOT, folder, {
    recursive: true,
    filter: (path) => !LEFT_OUT.has(basename(path)) || path === PROGRAM_ROOT,
  });
  await symlink(join(PROGRAM_ROOT, "node_modules"), join(folder, "node_modules"));
  const file = join(folder, "components", "readiness", "await-ready.ts");
  const text = await readFile(file, "utf8");
  if (text.split(WAIT).length !== 2) throw new Error(`${file}: not exactly one "${WAIT}"`);
  await writeFile(file, text.replace(WAIT, `name === "kserve-controller" ? undefined : ${WAIT}`));
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
