import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { run } from "../../cli/main.ts";
import { parseLock } from "../../images/lock.ts";

let folder: string;
let stack: string;
const lockFile = (): string => join(folder, "Pulumi.x.lock.json");

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
  stack = join(folder, "Pulumi.x.yaml");
  await writeFile(stack, "config:\n  kserve:mode: RawDeployment\n");
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

describe("platform lock", () => {
  it("writes the file beside the stack file, whole, and the same one again", async () => {
    expect(await run(["lock", stack, "--offline"])).toBe(0);
    const text = await readFile(lockFile(), "utf8");
    expect(parseLock(text)?.images.length).toBeGreaterThan(9);
    expect(await run(["lock", stack, "--offline"])).toBe(0);
    expect(await readFile(lockFile(), "utf8")).toBe(text);
    expect((await readdir(folder)).sort()).toEqual(["Pulumi.x.lock.json", "Pulumi.x.yaml"]);
  });

  it("checks without writing: 1 for a stale or missing file, 0 for a fresh one", async () => {
    expect(await run(["lock", stack, "--offline", "--check"])).toBe(1);
    expect(await readdir(folder)).toEqual(["Pulumi.x.yaml"]);
    await run(["lock", stack, "--offline"]);
    expect(await run(["lock", stack, "--offline", "--check"])).toBe(0);
    await writeFile(lockFile(), "{}\n");
    expect(await run(["lock", stack, "--offline", "--check"])).toBe(1);
    expect(await readFile(lockFile(), "utf8")).toBe("{}\n");
  });

  it("answers 1 for a stack with problems and 2 for wrong use", async () => {
    await writeFile(stack, "config:\n  kserve:mode: Nonsense\n");
    expect(await run(["lock", stack, "--offline"])).toBe(1);
    await writeFile(stack, "config:\n  kserve:mode: RawDeployment\n");
    expect(await run(["lock", stack, "--offline", "--timeout", "soon"])).toBe(2);
    expect(await run(["lock", stack, "--offline", "-o", join(folder, "no", "such")])).toBe(2);
  });
});

describe("platform verify-charts", () => {
  it("answers 2 without a folder, for an unknown release and without its option", async () => {
    expect(await run(["verify-charts", "--charts", join(folder, "none")])).toBe(2);
    expect(await run(["verify-charts", "--charts", folder, "--kserve", "9.9.9"])).toBe(2);
    expect(await run(["verify-charts"])).toBe(2);
  });
});
