import { readFile } from "node:fs/promises";
import { parseLock } from "../images/lock.ts";
import type { LockFile } from "../images/lock.ts";
import { stackFile } from "./stack.ts";

/** The lock file beside the stack file, or the one that was named; `undefined` when there is none. */
export async function lockOf(stack: string, named?: string): Promise<LockFile | undefined> {
  const file = named ?? `${stackFile(stack).replace(/\.ya?ml$/, "")}.lock.json`;
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseLock(text);
}
