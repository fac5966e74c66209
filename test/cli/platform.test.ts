import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line as a user does. */
function platform(...args: string[]): Promise<Result> {
  const command = [join(ROOT, "cli", "platform.js"), ...args];
  const { promise, resolve } = Promise.withResolvers<Result>();
  // Compiled modules are kept between the many short runs; this halves their start.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") };
  execFile(process.execPath, command, { cwd: ROOT, env }, (error, out, err) => {
    resolve({ code: error === null ? 0 : Number(error.code), out, err });
  });
  return promise;
}

const stack = (...lines: string[]): string =>
  ["config:", "  kserve:mode: Serverless", ...lines, ""].join("\n");
const KUBERNETES = (version: string): string => `  kserve:kubernetes: { version: "${version}" }`;

/** Broken stack files: content, and what the report has to name. */
const BROKEN: readonly [name: string, content: string | Buffer | undefined, names: RegExp[]][] = [
  [
    "an unknown key",
    stack("  kserve:registyr: { host: harbor.test }"),
    [/\[config-key-unknown\].*kserve:registyr/, /did you mean kserve:registry\?/],
  ],
  [
    "an unknown mode",
    "config:\n  kserve:mode: Ambient\n",
    [/kserve:mode/, /Ambient/, /allowed: .*Serverless.*RawDeployment/],
  ],
  [
    "a version without a catalog row",
    stack('  kserve:kserve: { version: "9.9.9" }'),
    [/\[catalog-version-unknown\].*kserve:kserve\.version/, /"9\.9\.9"/, /allowed: .*0\.20\.0/],
  ],
  [
    "versions outside the row of KServe 0.15.2",
    stack(
      KUBERNETES("1.32"),
      '  kserve:kserve: { version: "0.15.2" }',
      '  kserve:istio: { version: "1.28.10" }',
      '  kserve:gatewayApi: { version: "1.5.1" }',
    ),
    [
      /\[compat-kserve-istio\].*kserve:istio\.version/,
      /found: .*1\.28\.10/,
      /allowed: .*1\.26/,
      /\[compat-kserve-gateway-api\].*kserve:gatewayApi\.version/,
      /found: .*1\.5\.1/,
      /: 2 problems, \d+ warnings$/m,
    ],
  ],
  [
    "a registry that is no host",
    stack("  kserve:registry: { host: 'https://harbor.test/library' }"),
    [/kserve:registry\.host/, /https:\/\/harbor\.test\/library/, /host\[:port\]/],
  ],
  ["nothing inside", "", [/\[config-file-empty\]/, /Pulumi\.online\.yaml/]],
  ["binary content", Buffer.from([0x1f, 0x8b, 0, 0xff, 0xfe, 10]), [/\[config-file-binary\]/]],
  ["broken YAML", "config: [\n", [/\[config-file-invalid\]/, /line \d+/]],
  ["no file behind it", undefined, [/\[config-file-unreadable\]/, /ENOENT/]],
];

describe("platform check", () => {
  let folder: string;
  let results: readonly Result[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "platform-"));
    results = await Promise.all(
      BROKEN.map(async ([, content], index) => {
        const file = join(folder, `Pulumi.broken-${String(index)}.yaml`);
        if (content !== undefined) await writeFile(file, content);
        return platform("check", file);
      }),
    );
  }, 60_000);
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it.each(BROKEN.map(([name, , names], index) => ({ name, names, index })))(
    "reports a stack file with $name, without a stack trace, and ends with 1",
    ({ names, index }) => {
      const { code, out, err } = results[index] ?? { code: -1, out: "", err: "" };
      expect({ code, err }).toEqual({ code: 1, err: "" });
      for (const expected of names) expect(out).toMatch(expected);
      for (const part of ["found:", "allowed:", "to do:"]) expect(out).toContain(part);
      expect(out).not.toMatch(/^\s+at /m);
    },
  );

  it("finds stacks of the project fit, and says what it could not check", async () => {
    const [airgap, sandbox] = await Promise.all(
      // A day before the end of life of what the default set holds.
      ["airgap", "sandbox"].map((name) => platform("check", name, "--as-of", "2026-01-31")),
    );
    for (const result of [airgap, sandbox]) expect(result).toMatchObject({ code: 0, err: "" });
    expect(airgap?.out).toMatch(/^\[images-moving-tag\] .* \(warning\)$/m);
    expect(airgap?.out).toMatch(/^Pulumi\.airgap\.yaml: no problems, 1 warning$/m);
    expect(sandbox?.out).toMatch(/Kubernetes rules were not checked/);
  });

  it("assumes a Kubernetes version where the file names none, and prints JSON", async () => {
    const { code, out } = await platform("check", "sandbox", "--kubernetes", "1.20", "--json");
    const { problems } = JSON.parse(out) as { problems: { code: string; level: string }[] };
    expect(code).toBe(1);
    expect(problems.map((problem) => problem.code)).toContain("compat-kserve-kubernetes");
  });
});

describe("platform plan and images", () => {
  it("list the layers and the images of a stack", async () => {
    const [plan, table, images, missing] = await Promise.all([
      platform("plan", "online", "--json"),
      platform("plan", "airgap"),
      platform("images", "airgap", "--format", "plain"),
      platform("images", "no-such-stack"),
    ]);
    const { layers } = JSON.parse(plan?.out ?? "") as { layers: { name: string }[] };
    expect(layers.map((layer) => layer.name)).toEqual([
      "CertManager",
      "GatewayApi",
      "IstioMesh",
      "KnativeServing",
      "KServeCore",
    ]);
    expect(table.code).toBe(0);
    expect(table.out).toMatch(/^5 +KServeCore +kserve 0\.20\.0 /m);
    const lines = images.out.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.filter((line) => !line.startsWith("10.61.3.31:35000/"))).toEqual([]);
    expect([...new Set(lines)].sort()).toEqual(lines);
    expect(missing).toMatchObject({ code: 1, out: "" });
    expect(missing.err).toMatch(/\[config-file-unreadable\]/);
  });
});

describe("platform", () => {
  it("ends with 2 when called wrongly, and with 0 when asked for help", async () => {
    const [unknown, argument, help] = await Promise.all([
      platform("frobnicate"),
      platform("check"),
      platform("--help"),
    ]);
    for (const result of [unknown, argument]) {
      expect(result).toMatchObject({ code: 2, out: "" });
      expect(result?.err).toMatch(/^error: /);
      expect(result?.err).not.toMatch(/^\s+at /m);
    }
    expect(help).toMatchObject({ code: 0, err: "" });
    for (const command of ["check", "plan", "images", "sandbox"])
      expect(help.out).toMatch(new RegExp(`^ {2}${command} `, "m"));
  });

  it("does not start a sandbox with options that would have no effect", async () => {
    const { code, err } = await platform("sandbox", "up", "--mode", "RawDeployment");
    expect(code).toBe(2);
    expect(err).toContain("[sandbox-options]");
    expect(err).toContain("--airgap");
  });
});
