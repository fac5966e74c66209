import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withLock } from "../../sandbox/toolchain/lock.ts";
import {
  clearWork,
  isStored,
  newWorkFolder,
  storedPath,
  storeFolder,
  toolStore,
} from "../../sandbox/toolchain/store.ts";

/** Above any process id that Linux gives out (kernel/pid.c, PID_MAX_LIMIT). */
const NOBODY = 4_194_999;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("a lock", () => {
  it("lets one at a time do its work and leaves nothing behind", async () => {
    const file = join(folder, "lock");
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(20);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, {}, work)));
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it("names the holder to those who wait", async () => {
    const file = join(folder, "lock");
    const holders: number[] = [];
    const first = withLock(file, {}, () => sleep(50));
    await sleep(20);
    await withLock(file, { onWait: (holder) => holders.push(holder) }, () => Promise.resolve());
    await first;
    expect(holders).toEqual([process.pid]);
  });

  it("of a process that is gone does not hold", async () => {
    const file = join(folder, "lock");
    await writeFile(file, String(NOBODY));
    expect(await withLock(file, {}, () => Promise.resolve("done"))).toBe("done");
  });

  it("that nobody has touched for long does not hold, whoever has its number now", async () => {
    const file = join(folder, "lock");
    await writeFile(file, String(process.pid));
    const past = new Date(Date.now() - 120_000);
    await utimes(file, past, past);
    expect(await withLock(file, {}, () => Promise.resolve("done"))).toBe("done");
  });

  it("is released when the work fails, and waiting can be given up", async () => {
    const file = join(folder, "lock");
    const failing = withLock(file, {}, () => Promise.reject(new Error("broken")));
    await expect(failing).rejects.toThrow("broken");
    const held = withLock(file, {}, () => sleep(400));
    await sleep(20);
    const signal = AbortSignal.timeout(30);
    await expect(withLock(file, { signal }, () => Promise.resolve())).rejects.toThrow(/abort/i);
    await held;
  });
});

describe("the store", () => {
  it("has a tool whole or not at all", async () => {
    const store = toolStore(folder);
    const work = await newWorkFolder(store);
    await writeFile(join(work, "helm"), "x");
    expect(await isStored(store, "helm")).toBe(false);
    expect(await storeFolder(store, "helm", work)).toBe(storedPath(store, "helm"));
    expect(await isStored(store, "helm")).toBe(true);
  });

  it("keeps the first of two that finish the same tool", async () => {
    const store = toolStore(folder);
    for (const text of ["first", "second"]) {
      const work = await newWorkFolder(store);
      await writeFile(join(work, "helm"), text);
      await storeFolder(store, "helm", work);
    }
    expect(await isStored(store, "helm")).toBe(true);
    expect(await readdir(store.workFolder)).toEqual([]);
  });

  it("forgets unfinished work", async () => {
    const store = toolStore(folder);
    await writeFile(join(await newWorkFolder(store), "half"), "x");
    await clearWork(store);
    expect(await readdir(store.workFolder)).toEqual([]);
  });
});
