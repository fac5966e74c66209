import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 250;
/** The holder touches its lock this often … */
const HEARTBEAT_MS = 5_000;
/** … so a lock that is older belongs to a process that is gone, even when its id lives on in another one. */
const STALE_MS = 60_000;

/** How to wait for a lock. */
export interface LockOptions {
  /** Called once when somebody else holds the lock, with the id of that process. */
  readonly onWait?: (holder: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` while no other process on this machine does so under the same file. A process that dies without
 * releasing the lock does not block the next one.
 */
export async function withLock<T>(
  file: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await acquire(file, options);
  const heartbeat = setInterval(() => void touch(file), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(file, { force: true });
  }
}

async function acquire(file: string, options: LockOptions): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  let told = false;
  while (!(await tryTake(file))) {
    const holder = await readHolder(file);
    if (holder !== undefined && !told) {
      told = true;
      options.onWait?.(holder);
    }
    await sleep(POLL_MS, undefined, { signal: options.signal });
  }
}

/** A link appears with its content or not at all, which creating and then writing a file does not give. */
async function tryTake(file: string): Promise<boolean> {
  if (await isStale(file)) await discard(file);
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, String(process.pid));
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

async function isStale(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return false;
  const holder = await readHolder(file);
  return holder === undefined || !isAlive(holder) || Date.now() - found.mtimeMs > STALE_MS;
}

/** Moves the stale lock aside first: of two processes that see it, one moves it and the other finds it gone. */
async function discard(file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  const moved = await rename(file, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  // Somebody took the lock between the look and the move: give it back.
  if (!(await isStale(aside))) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function readHolder(file: string): Promise<number | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  const id = Number.parseInt(text, 10);
  return Number.isInteger(id) && id > 0 ? id : undefined;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
}
