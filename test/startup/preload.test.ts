import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const PRELOAD = join(ROOT, "startup/preload.ts");

/** Runs lines in a Node process of their own that can `require` as the SDK does, with Node's options before it. */
async function inProcess(options: readonly string[], lines: string): Promise<unknown> {
  const source = `
    const { createRequire } = process.getBuiltinModule("module");
    const require = createRequire(createRequire("${ROOT}/index.ts").resolve("@pulumi/pulumi"));
    const hooks = () => require("./runtime/closure/v8Hooks");
    const parsed = async () => {
      const urls = [];
      const session = await hooks().getSessionAsync();
      session.on("Debugger.scriptParsed", ({ params }) => urls.push(params.url));
      require("semver");
      return urls.filter((url) => url.includes("semver")).length;
    };
    ${lines}`;
  const args = [...options, "--input-type=module", "--eval", source];
  return JSON.parse((await promisify(execFile)(process.execPath, args, { cwd: ROOT })).stdout);
}

/** Whether V8 knows its own syntax: the SDK's hooks switch it on when they are loaded. */
const HOOKED = `(() => { try { new Function("%IsSmi(1)"); return true; } catch { return false; } })()`;

describe("preload", () => {
  it("starts the SDK without the debugger and without what traces runs", async () => {
    const lines = `
      await hooks().isInitializedAsync();
      require("./cmd/run/tracing");
      const tracing = Object.keys(require.cache).filter((file) => file.includes("/sdk-trace-node/"));
      console.log(JSON.stringify([${HOOKED}, tracing.length]));`;
    expect(await inProcess(["--import", PRELOAD], lines)).toEqual([false, 1]);
    // Without it the SDK does both; when that ends, so can this.
    expect(await inProcess([], lines)).toEqual([true, expect.not.stringMatching(/^1$/)]);
  });

  it("is not reached by a Node that cannot run TypeScript, which says so", async () => {
    const old = ["--no-experimental-strip-types", "--import", join(ROOT, "startup/enter.mjs")];
    const run = promisify(execFile)(process.execPath, [...old, "--eval", "console.log('ran')"]);
    await expect(run).rejects.toMatchObject({
      code: 32,
      stdout: "",
      stderr: expect.stringMatching(/^\[node-too-old\].*\n {2}found: {3}Node v24/) as string,
    });
    const entered = ["--import", join(ROOT, "startup/enter.mjs")];
    expect(await inProcess(entered, `console.log(${HOOKED});`)).toBe(false);
  });

  it("leaves stack traces to Node, before the SDK or after it", async () => {
    const begin = `const native = Error.prepareStackTrace; require("source-map-support/register");`;
    const isMapped = `console.log(![native, undefined].includes(Error.prepareStackTrace));`;
    expect(await inProcess([], `${begin} ${isMapped}`)).toBe(true);
    expect(await inProcess(["--import", PRELOAD], `${begin} ${isMapped}`)).toBe(false);
    const late = `${begin} await import(${JSON.stringify(PRELOAD)}); ${isMapped}`;
    expect(await inProcess([], late)).toBe(false);
  });

  it("attaches the debugger for whoever turns a function into text", async () => {
    const lines = `
      const pulumi = require("./index.js");
      const seven = 7;
      const { text } = await pulumi.runtime.serializeFunction(() => seven);
      console.log(JSON.stringify([text.includes("seven: 7"), ${HOOKED}]));`;
    expect(await inProcess(["--import", PRELOAD], lines)).toEqual([true, true]);
  });

  it("lets go of a debugger that is attached already, as in a policy pack", async () => {
    const attached = "await hooks().isInitializedAsync();";
    const print = "console.log(await parsed());";
    expect(await inProcess([], `${attached} ${print}`)).toBeGreaterThan(0);
    const lines = `${attached} await import(${JSON.stringify(PRELOAD)}); ${print}`;
    expect(await inProcess([], lines)).toBe(0);
  });
});
