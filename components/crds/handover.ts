import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder of this process, readable to its user alone, in which post-renderers leave text for the program. Provider and
 * program run on one machine; on its way through provider and engine the text, megabytes of schema, would be parsed
 * and written anew at every station. The folder goes when the process ends; what is left in it after a kill is the
 * operating system's to clear.
 */
let folder: string | undefined;

/** Where the text of that name is to be written. Names are a file's: no separators. */
export function handoverPlace(name: string): string {
  folder ??= makeFolder();
  return join(folder, name);
}

/** The text that was left under a name. Throws what the file system says. */
export function takeHandover(name: string): string {
  return readFileSync(handoverPlace(name), "utf8");
}

function makeFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "kserve-platform-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}
