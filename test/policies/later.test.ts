import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { later } from "../../policies/later.ts";

describe("later", () => {
  it("does not load in the turn in which it is asked, so that the engine gets its answer first", async () => {
    const load = vi.fn(() => Promise.resolve("rules"));
    const part = later(load);
    const loading = part();
    await Promise.resolve();
    expect(load).not.toHaveBeenCalled();
    expect(await loading).toBe("rules");
  });

  it("loads once, however often it is asked", async () => {
    const load = vi.fn(() => Promise.resolve("rules"));
    const part = later(load);
    expect(await Promise.all([part(), part()])).toEqual(["rules", "rules"]);
    expect(await part()).toBe("rules");
    expect(load).toHaveBeenCalledTimes(1);
  });

  it("fails whoever waits, and only those", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const part = later(() => Promise.reject(new Error("sets.json is broken")));
    void part();
    await sleep(60);
    expect(unhandled).not.toHaveBeenCalled();
    await expect(part()).rejects.toThrow("sets.json is broken");
    process.off("unhandledRejection", unhandled);
  });
});
