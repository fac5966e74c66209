import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openStack } from "../sandbox/session/session.ts";
import { runPulumi } from "../sandbox/session/pulumi.ts";
import type { Session } from "../sandbox/session/session.ts";
import { STACK, STACK_FILE } from "./pulumi-way.ts";
import type { Results } from "./results.ts";
import type { Scenario, Way } from "./ways.ts";

/** Numbers of stacks in the backend at which a preview is timed. */
const SIZES = [1, 10, 50];

/**
 * Fills the backend with copies of the installed stack and previews the first of them at each size: whether one
 * environment gets slower because there are others.
 */
export async function measureGrowth(
  session: Session,
  way: Way,
  scenario: Scenario,
): Promise<Results["growth"]> {
  await removeCopies(session);
  const state = join(session.layout.project, "growth-state.json");
  const exported = await runPulumi(session.context, [
    "stack",
    "export",
    "--stack",
    STACK,
    "--file",
    state,
  ]);
  if (exported.code !== 0) throw new Error(exported.output);
  const text = await readFile(state, "utf8");
  const growth: Results["growth"] = [];
  let stacks = 1;
  for (const size of SIZES) {
    for (; stacks < size; stacks += 1) await copyStack(session, `${STACK}-${String(stacks)}`, text);
    const usage = await way.run("preview", scenario);
    growth.push({
      stacks: size,
      previewSeconds: usage?.seconds ?? 0,
      stateBytes: await stateBytes(session.layout.backend),
    });
  }
  await removeCopies(session);
  return growth;
}

/** Takes the copies away, those of an interrupted run as well. */
async function removeCopies(session: Session): Promise<void> {
  const { output } = await runPulumi(session.context, ["stack", "ls", "--json"]);
  const stacks = JSON.parse(output.slice(output.indexOf("["))) as { readonly name: string }[];
  const copies = stacks.map(({ name }) => name).filter((name) => name.startsWith(`${STACK}-`));
  for (const name of copies)
    await runPulumi(session.context, ["stack", "rm", "--yes", "--force", "--stack", name]);
}

async function copyStack(session: Session, name: string, state: string): Promise<void> {
  await openStack(session, { name, file: STACK_FILE });
  const file = join(session.layout.project, `${name}.json`);
  await writeFile(file, state.replaceAll(`urn:pulumi:${STACK}::`, `urn:pulumi:${name}::`));
  const result = await runPulumi(session.context, [
    "stack",
    "import",
    "--stack",
    name,
    "--file",
    file,
  ]);
  if (result.code !== 0) throw new Error(result.output);
}

/** Bytes of all states; history and backups are of earlier runs as well. */
async function stateBytes(backend: string): Promise<number> {
  const folder = join(backend, ".pulumi", "stacks");
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile() && file.name.endsWith(".json"))
    .map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
