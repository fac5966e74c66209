import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Executable names of the plugins that have a stand-in: no package registry carries them. */
export type StandInName = "pulumi-language-nodejs" | "pulumi-resource-kubernetes-cert-manager";

/** File mode of a launcher: the engine starts only executables. */
const EXECUTABLE = 0o755;

/** Second line of every launcher: tells it from an official plugin. */
const MARK = "# kserve-platform: stand-in for an official Pulumi plugin";
const MARK_WITHIN_BYTES = 128;

const FLAGS = ["--allow-natives-syntax"] as const;

/** The program that stands behind each launcher. */
const ENTRIES: Readonly<Record<StandInName, string>> = {
  "pulumi-language-nodejs": join(import.meta.dirname, "language-host.ts"),
  "pulumi-resource-kubernetes-cert-manager": join(import.meta.dirname, "cert-manager", "main.ts"),
};

/**
 * Writes the launcher of one stand-in and answers with its path, `<stateDir>/plugins/<name>/<name>`. Each has a folder
 * of its own, so that a folder on PATH brings in one stand-in and never hides another official plugin.
 */
export async function writeLauncher(stateDir: string, name: StandInName): Promise<string> {
  const folder = join(stateDir, "plugins", name);
  const path = join(folder, name);
  const script = launcherScript(process.execPath, ENTRIES[name]);
  if ((await readFile(path, "utf8").catch(() => undefined)) === script) return path;
  await mkdir(folder, { recursive: true });
  // Renamed into place: a run that starts at the same moment never sees half a script.
  const part = `${path}.${process.pid}`;
  await writeFile(part, script, { mode: EXECUTABLE });
  await rename(part, path);
  return path;
}

/**
 * The launcher's text; `exec`, so that the engine's signals reach the stand-in itself. Its flags are those
 * of V8 that the program runs with (`nodeargs` in Pulumi.yaml): what Node compiled under others is not used, but replaced.
 */
export function launcherScript(
  node: string,
  entry: string,
  options: readonly string[] = FLAGS,
): string {
  return `#!/bin/sh\n${MARK}\nexec ${[node, ...options, entry].map(quote).join(" ")} "$@"\n`;
}

/** True for a launcher of this or another sandbox; false for an official plugin, and for what cannot be read. */
export async function isLauncher(path: string): Promise<boolean> {
  // Official plugins are programs of many megabytes: the start is enough.
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MARK_WITHIN_BYTES));
    return buffer.toString("utf8", 0, bytesRead).includes(MARK);
  } finally {
    await file.close();
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
