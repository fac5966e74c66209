import { appendFile, mkdir, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Something that a bundle run has brought in whole. */
export interface Done {
  /** `sha256:<hex>` of a file, or the digest that an image's tag meant. */
  readonly digest: string;
  readonly size?: number;
}

/**
 * What an unfinished bundle holds already, one line of JSON each: a second run neither fetches a file again nor asks
 * again what a tag means, so that all of a bundle is of one day. Blobs need no line, their names say what they are.
 */
export class Journal {
  readonly #file: string;
  readonly #done: Map<string, Done>;

  private constructor(file: string, done: Map<string, Done>) {
    this.#file = file;
    this.#done = done;
  }

  /**
   * Opens the journal of an earlier run, or an empty one; `finished` is what a bundle in the same place is known to
   * hold. A last line that was cut off counts as not written.
   */
  static async open(file: string, finished: readonly [string, Done][] = []): Promise<Journal> {
    const text = await readFile(file, "utf8").catch(() => "");
    const entries = text.split("\n").flatMap(parseLine);
    return new Journal(file, new Map([...finished, ...entries]));
  }

  find(key: string): Done | undefined {
    return this.#done.get(key);
  }

  async add(key: string, done: Done): Promise<void> {
    this.#done.set(key, done);
    await mkdir(dirname(this.#file), { recursive: true });
    // The line break comes first: a line that was cut off must not swallow this one.
    await appendFile(this.#file, `\n${JSON.stringify({ key, ...done })}`);
  }

  /** A finished bundle needs none. */
  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

function parseLine(line: string): [string, Done][] {
  try {
    const { key, digest, size } = JSON.parse(line) as Partial<Done & { key: string }>;
    if (typeof key !== "string" || typeof digest !== "string") return [];
    return [[key, { digest, ...(typeof size === "number" ? { size } : {}) }]];
  } catch {
    return [];
  }
}
