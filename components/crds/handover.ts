import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder of this run, readable to its user alone, in which a post-renderer leaves text for the program. Provider and
 * program run on one machine; on its way through provider and engine the text, megabytes of schema, would be parsed
 * and written anew at every station. The folder goes when the process ends; what is left in it after a kill is the
 * operating system's to clear.
 */
export class Handover {
  #folder: string | undefined;

  /** Where the text of that name is to be written. Names are a file's: no separators. */
  place(name: string): string {
    this.#folder ??= makeFolder();
    return join(this.#folder, name);
  }

  /** The text that was left under a name. Throws what the file system says. */
  take(name: string): string {
    return readFileSync(this.place(name), "utf8");
  }
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "kserve-platform-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
