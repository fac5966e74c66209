import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { TestContext } from "vitest";
import { findHelm } from "../../cli/helm.ts";
import { parseBundleManifest } from "../../bundle/manifest.ts";
import type { Contents } from "../../bundle/contents.ts";
import { run } from "../../cli/main.ts";
import { contentsOfText, publishImages, viaReference, writeCharts } from "../support/carry.ts";
import { makeCertificates } from "../../sandbox/registry/certificates.ts";
import type { Certificates } from "../../sandbox/registry/certificates.ts";
import { skopeo } from "../support/images.ts";
import { registryTools, startRegistry, USER } from "../support/registry.ts";
import type { RegistryTools, TestRegistry } from "../support/registry.ts";

const tools = await registryTools();
let folder: string;
let stack: string;
let text: string;
let contents: Contents;
let certificates: Certificates;
let outside: TestRegistry;
let inside: TestRegistry;

const bundle = (name = "bundle"): string => join(folder, name);
const program = (): RegistryTools => tools as RegistryTools;

/** Runs a command; gives its exit code and everything that it printed. */
async function platform(...args: string[]): Promise<{ code: number; text: string }> {
  const printed: string[] = [];
  const keep = (chunk: string | Uint8Array): boolean => {
    printed.push(String(chunk));
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(keep),
    vi.spyOn(process.stderr, "write").mockImplementation(keep),
  ];
  try {
    return { code: await run(args), text: printed.join("") };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const make = (out: string, ...more: string[]) =>
  platform(
    ...[
      "bundle",
      "--stack",
      stack,
      "--out",
      out,
      "--via",
      outside.host,
      "--authfile",
      join(folder, "none.json"),
    ],
    ...["--charts", join(folder, "charts"), "--parts", "images,charts,model", ...more],
  );
const writes = (requests: readonly string[]): string[] =>
  requests.filter((request) => /^(?:POST|PUT|PATCH)/.test(request));

/** Arguments with which skopeo speaks to the registry inside. */
const insideOptions = (side: "src" | "dest"): string[] => [
  `--${side}-creds=${USER.username}:${USER.password}`,
  `--${side}-tls-verify=false`,
];

/** One image of the bundle as a layout of its own: older skopeos find images of Docker's format in no other way. */
async function alone(upstream: string): Promise<string> {
  const layout = await mkdtemp(join(folder, "alone-"));
  const index = JSON.parse(await readFile(join(bundle(), "images", "index.json"), "utf8")) as {
    manifests: { annotations: Record<string, string> }[];
  };
  const manifests = index.manifests.filter(
    ({ annotations }) => annotations["org.opencontainers.image.ref.name"] === upstream,
  );
  await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  await copyFile(join(bundle(), "images", "oci-layout"), join(layout, "oci-layout"));
  await symlink(join(bundle(), "images", "blobs"), join(layout, "blobs"));
  return `oci:${layout}`;
}

/** Skips with the reason; a function of its own, because a test that names its conditions is not a disabled one. */
function skipped(context: TestContext, reason: string): void {
  context.skip(reason);
}

beforeEach((context: TestContext) => {
  if (typeof tools === "string") context.skip(tools);
  process.env["KSERVE_REGISTRY_USERNAME"] = USER.username;
  process.env["KSERVE_REGISTRY_PASSWORD"] = USER.password;
});

beforeAll(async () => {
  if (typeof tools === "string") return;
  folder = await mkdtemp(join(tmpdir(), "carry-"));
  certificates = await makeCertificates(join(folder, "certificates"));
  outside = await startRegistry(tools.registry, { folder: join(folder, "outside") });
  inside = await startRegistry(tools.registry, {
    folder: join(folder, "inside"),
    tls: certificates,
    auth: true,
  });
  const ca = (await readFile(certificates.ca, "utf8")).trim().replaceAll("\n", "\n      ");
  text = [
    "config:",
    "  kserve:mode: RawDeployment",
    '  kserve:kubernetes: { version: "1.34" }',
    "  kserve:registry:",
    `    host: ${inside.host}`,
    "    ca: |",
    `      ${ca}`,
    "  kserve:charts:",
    "    source: oci",
    `    url: oci://${inside.host}/charts`,
    `    manifests: ${join(folder, "manifests")}`,
    "",
  ].join("\n");
  stack = join(folder, "Pulumi.gap.yaml");
  await writeFile(stack, text);
  await writeFile(join(folder, "none.json"), "{}");
  contents = contentsOfText(text);
  const upstreams = contents.images.map(({ upstream }) => upstream);
  const place = { folder: join(folder, "layout"), host: outside.host };
  await publishImages(tools.skopeo, place, upstreams);
  await writeCharts(join(folder, "charts"), contents);
}, 120_000);

afterAll(async () => {
  delete process.env["KSERVE_REGISTRY_USERNAME"];
  delete process.env["KSERVE_REGISTRY_PASSWORD"];
  if (typeof tools === "string") return;
  await Promise.all([outside.stop(), inside.stop()]);
  await rm(folder, { recursive: true });
});

describe("platform bundle, load and verify, against real registries", { timeout: 60_000 }, () => {
  it("prints totals without writing anything", async () => {
    const { code, text: printed } = await make(bundle("dry"), "--dry-run");
    expect(code).toBe(0);
    expect(printed).toContain(`${String(contents.images.length)} images`);
    expect(printed).toMatch(/saved \(\d+ %\)/);
    await expect(readdir(bundle("dry"))).rejects.toThrow("ENOENT");
  });

  it("writes a whole bundle, and the same bytes a second time", async () => {
    expect((await make(bundle())).code).toBe(0);
    expect((await make(bundle("again"))).code).toBe(0);
    const files = (await readdir(bundle(), { recursive: true })).sort();
    expect((await readdir(bundle("again"), { recursive: true })).sort()).toEqual(files);
    expect(files.filter((file) => file.includes(".partial") || file === ".journal")).toEqual([]);
    for (const name of [
      "bundle.json",
      "SHA256SUMS",
      "hauler.yaml",
      "skopeo-sync.yaml",
      "COMMANDS.md",
    ])
      expect(await readFile(join(bundle("again"), name), "utf8"), name).toBe(
        await readFile(join(bundle(), name), "utf8"),
      );
    const manifest = parseBundleManifest(await readFile(join(bundle(), "bundle.json"), "utf8"));
    expect(manifest?.images.map(({ upstream }) => upstream)).toEqual(
      contents.images.map(({ upstream }) => upstream),
    );
    expect(manifest?.totals.savedBytes).toBeGreaterThan(0);
  });

  it("fetches nothing again into a bundle that is whole", async () => {
    outside.requests.length = 0;
    expect((await make(bundle())).code).toBe(0);
    expect(
      outside.requests.filter(
        (request) => request.startsWith("GET") && !request.startsWith("GET /v2/ "),
      ),
    ).toEqual([]);
  });

  it("keeps the digest of every image, whatever its format; skopeo reads the layout", async () => {
    for (const { upstream } of contents.images.slice(0, 6)) {
      const local = await skopeo(program().skopeo, "inspect", "--raw", await alone(upstream));
      const source = `docker://${viaReference(outside.host, upstream)}`;
      const remote = await skopeo(
        program().skopeo,
        "inspect",
        "--raw",
        "--tls-verify=false",
        source,
      );
      expect(local, upstream).toBe(remote);
    }
  });

  it("says before the load what is missing, where it is used, and whether it is optional", async () => {
    const { code, text: printed } = await platform("bundle", "verify", "--stack", stack);
    expect(code).toBe(1);
    expect(printed).toMatch(
      /missing image .*quay\.io\/jetstack\/cert-manager-controller:.*\n {2}used by .*always needed/,
    );
    expect(printed).toMatch(/missing chart .*\/charts\/cert-manager:/);
    expect(printed).toMatch(/only for/);
  });

  it("refuses a wrong password with a clear report that does not repeat it", async () => {
    process.env["KSERVE_REGISTRY_PASSWORD"] = "not-the-password";
    const { code, text: printed } = await platform("bundle", "load", bundle(), "--stack", stack);
    expect(code).toBe(1);
    expect(printed).toContain("[bundle-host-credentials]");
    expect(printed).toContain("KSERVE_REGISTRY_PASSWORD");
    expect(printed).not.toContain("not-the-password");
    expect(writes(inside.requests).filter((request) => !request.endsWith(" 401"))).toEqual([]);
  });

  it("loads everything, then verifies", async () => {
    const loaded = await platform("bundle", "load", bundle(), "--stack", stack);
    expect(loaded.text).not.toContain(USER.password);
    expect(loaded.code, loaded.text).toBe(0);
    const verified = await platform("bundle", "verify", "--stack", stack, "--bundle", bundle());
    expect(verified.code, verified.text).toBe(0);
  });

  it("sends nothing that is there already", async () => {
    inside.requests.length = 0;
    expect((await platform("bundle", "load", bundle(), "--stack", stack)).code).toBe(0);
    expect(writes(inside.requests)).toEqual([]);
  });

  it("serves inside the digests that upstream serves", async () => {
    for (const { upstream, installed } of contents.images.slice(0, 6)) {
      const there = await skopeo(
        program().skopeo,
        ...["inspect", "--raw", `--creds=${USER.username}:${USER.password}`, "--tls-verify=false"],
        `docker://${installed}`,
      );
      const source = `docker://${viaReference(outside.host, upstream)}`;
      expect(there).toBe(
        await skopeo(program().skopeo, "inspect", "--raw", "--tls-verify=false", source),
      );
    }
  });

  it("serves charts that helm pulls, byte for byte", async (context) => {
    const helm = await findHelm();
    if (helm === undefined) return skipped(context, "no helm on PATH or in the sandbox's cache");
    const [chart] = contents.charts;
    const login = ["--username", USER.username, "--password", USER.password];
    await promisify(execFile)(helm, [
      ...["pull", `oci://${inside.host}/charts/${chart?.name ?? ""}`],
      ...["--version", chart?.version ?? "", "--destination", folder],
      ...["--ca-file", certificates.ca, ...login],
    ]);
    const pulled = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
    expect(await readFile(join(folder, pulled))).toEqual(
      await readFile(join(bundle(), "charts", chart?.file ?? "")),
    );
  });

  it("names an image that was taken out of the registry", async () => {
    const image = contents.images.find(({ upstream }) => upstream.includes("cert-manager-webhook"));
    const installed = image?.installed ?? "";
    await skopeo(
      program().skopeo,
      ...["delete", `--creds=${USER.username}:${USER.password}`, "--tls-verify=false"],
      `docker://${installed}`,
    );
    const { code, text: printed } = await platform("bundle", "verify", "--stack", stack);
    expect(code).toBe(1);
    expect(printed).toContain(`missing image ${installed}`);
    expect(printed.match(/^missing /gm)).toHaveLength(1);
    expect((await platform("bundle", "load", bundle(), "--stack", stack)).code).toBe(0);
    expect((await platform("bundle", "verify", "--stack", stack)).code).toBe(0);
  });

  it("names a tag that means something else than what was carried", async () => {
    const [one, two] = contents.images;
    await skopeo(
      program().skopeo,
      ...["--insecure-policy", "copy", "--all", "--quiet", ...insideOptions("dest")],
      ...[await alone(one?.upstream ?? ""), `docker://${two?.installed ?? ""}`],
    );
    const { code, text: printed } = await platform(
      "bundle",
      "verify",
      "--stack",
      stack,
      "--bundle",
      bundle(),
    );
    expect(code).toBe(1);
    expect(printed).toMatch(/other: sha256:\w{64} instead of sha256:\w{64} image/);
    expect(printed).toContain(two?.installed);
  });

  it("says what a bundle made for another stack lacks, and judges only the parts that it has", async () => {
    const other = join(folder, "Pulumi.other.yaml");
    await writeFile(other, text.replace("RawDeployment", "Serverless"));
    const whole = await platform("bundle", "load", bundle(), "--stack", other);
    expect(whole.code).toBe(1);
    expect(whole.text).toMatch(/\[bundle-load-incomplete\][\s\S]*istio\/pilot:[\s\S]*istiod-/);
    expect((await make(bundle("charts"), "--parts", "charts")).code).toBe(0);
    const part = await platform("bundle", "load", bundle("charts"), "--stack", stack);
    expect(part.code, part.text).toBe(0);
  });

  it("sends nothing of a bundle that was damaged on the way", async () => {
    const manifest = parseBundleManifest(
      await readFile(join(bundle("again"), "bundle.json"), "utf8"),
    );
    const [image] = manifest?.images ?? [];
    const blob = `images/blobs/${image?.digest.replace(":", "/") ?? ""}`;
    await writeFile(join(bundle("again"), blob), "other");
    inside.requests.length = 0;
    const { code, text: printed } = await platform(
      "bundle",
      "load",
      bundle("again"),
      "--stack",
      stack,
    );
    expect(code).toBe(1);
    expect(printed).toContain("[bundle-checksum]");
    expect(printed).toContain(`${blob} (other content)`);
    expect(inside.requests).toEqual([]);
  });

  it("does not take a bundle without its last file for a whole one", async () => {
    await rm(join(bundle("again"), "bundle.json"));
    const { code, text: printed } = await platform(
      "bundle",
      "load",
      bundle("again"),
      "--stack",
      stack,
    );
    expect(code).toBe(1);
    expect(printed).toContain("[bundle-not-whole]");
  });
});
