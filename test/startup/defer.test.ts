import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { defer, deferCalls } from "../../startup/defer.ts";

/** Named here, not where they are required: no file of these names stands beside the test. */
const ONE = "./one.cjs";
const TWO = "./two.cjs";
const MISSING = "./missing.cjs";
const ROOT = resolve(import.meta.dirname, "../..");
const loads = globalThis as unknown as { deferredLoads?: string[] };

/** A folder with CommonJS modules that note when they are loaded. */
function moduleFolder(): NodeJS.Require {
  const folder = mkdtempSync(join(tmpdir(), "defer-"));
  loads.deferredLoads = [];
  for (const name of ["one", "two"])
    writeFileSync(
      join(folder, `${name}.cjs`),
      `globalThis.deferredLoads.push("${name}"); exports.name = () => "${name}";
       exports.Thing = class { of = "${name}"; };`,
    );
  return createRequire(join(folder, "index.cjs"));
}

describe("defer", () => {
  it("loads the module with the first thing that is read of it, and once", () => {
    const require = moduleFolder();
    defer(require, ONE);
    const one = require(ONE) as { name: () => string };
    expect(loads.deferredLoads).toEqual([]);
    expect([one.name(), one.name(), "name" in one]).toEqual(["one", "one", true]);
    expect(loads.deferredLoads).toEqual(["one"]);
    expect((require(ONE) as { name: () => string }).name()).toBe("one");
    expect(loads.deferredLoads).toEqual(["one"]);
  });

  it("lets the import of compiled TypeScript pass without loading", () => {
    const require = moduleFolder();
    defer(require, ONE);
    expect((require(ONE) as { __esModule: unknown }).__esModule).toBe(true);
    expect(loads.deferredLoads).toEqual([]);
  });

  it("leaves a module alone that is loaded, and one that is not installed", () => {
    const require = moduleFolder();
    const two: unknown = require(TWO);
    defer(require, TWO);
    expect(require(TWO)).toBe(two);
    defer(require, MISSING);
    expect(() => require(MISSING) as unknown).toThrow("Cannot find module");
  });
});

describe("deferCalls", () => {
  it("loads the module with the first call of what was read of it", () => {
    const require = moduleFolder();
    deferCalls(require, ONE);
    const { name, Thing } = require(ONE) as { name: () => string; Thing: new () => object };
    expect(loads.deferredLoads).toEqual([]);
    expect(name()).toBe("one");
    expect(new Thing()).toEqual({ of: "one" });
    expect(loads.deferredLoads).toEqual(["one"]);
    expect((require(ONE) as { Thing: unknown }).Thing).not.toBe(Thing);
  });
});

/** Runs lines in a Node process of their own that has the SDK loaded, after the imports with which program and pack begin. */
async function withSdk(lines: string, deferred = true): Promise<unknown> {
  const source = `
    const require = process.getBuiltinModule("module").createRequire(${JSON.stringify(join(ROOT, "index.ts"))});
    if (${String(deferred)}) await import(${JSON.stringify(join(ROOT, "startup/deferred-modules.ts"))});
    const pulumi = require("@pulumi/pulumi");
    ${lines}`;
  const run = promisify(execFile);
  const args = ["--input-type=module", "--eval", source];
  return JSON.parse((await run(process.execPath, args, { cwd: ROOT })).stdout);
}

/** Modules of the SDK's start by whether anything of them is there; a deferred one shows no keys. */
const HEAVY = `
  const sdk = process.getBuiltinModule("module").createRequire(require.resolve("@pulumi/pulumi"));
  const names = ["typescript", "@npmcli/arborist", "normalize-package-data", "execa"];
  const isLoaded = (name) => Object.keys(require.cache[sdk.resolve(name)]?.exports ?? {}).length > 0;
  console.log(JSON.stringify(names.filter(isLoaded)));
`;

describe("deferred-modules", () => {
  it("starts the SDK without what it does not need here", async () => {
    expect(await withSdk(HEAVY)).toEqual([]);
  });

  it("is needed: the SDK by itself loads all of it", async () => {
    // When this fails, the SDK has learnt to wait, and the module can go.
    expect(await withSdk(HEAVY, false)).toContain("typescript");
    expect(await withSdk(HEAVY, false)).toContain("@npmcli/arborist");
  });

  it("leaves what they are for working: a function becomes text", async () => {
    const text = await withSdk(`
      const add = (one, two) => one + two;
      console.log(JSON.stringify((await pulumi.runtime.serializeFunction(add)).text));
    `);
    expect(text).toContain("one + two");
  });
});
