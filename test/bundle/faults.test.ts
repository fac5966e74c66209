import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TestContext } from "vitest";
import { Bundler } from "../../bundle/bundler.ts";
import type { Contents } from "../../bundle/contents.ts";
import { download, hashFile } from "../../bundle/download.ts";
import { damagedFiles } from "../../bundle/load.ts";
import { failureProblems, machineProblem } from "../../bundle/problems.ts";
import { Remote } from "../../bundle/remote.ts";
import type { RemoteOptions } from "../../bundle/remote.ts";
import { imageTotals } from "../../bundle/totals.ts";
import { contentsOfText, publishImages, writeCharts } from "../support/carry.ts";
import { makeCertificates } from "../../sandbox/registry/certificates.ts";
import { startProxy } from "../support/flaky-proxy.ts";
import type { FlakyProxy } from "../support/flaky-proxy.ts";
import { registryTools, startRegistry, USER } from "../support/registry.ts";
import type { TestRegistry } from "../support/registry.ts";

const tools = await registryTools();
const ROOT = join(import.meta.dirname, "..", "..");
const STACK = 'config:\n  kserve:mode: RawDeployment\n  kserve:kubernetes: { version: "1.34" }\n';
const LAYER = 60_000;
let folder: string;
let outside: TestRegistry;
let proxy: FlakyProxy;
let contents: Contents;

beforeAll(async () => {
  if (typeof tools === "string") return;
  folder = await mkdtemp(join(tmpdir(), "faults-"));
  outside = await startRegistry(tools.registry, { folder: join(folder, "outside") });
  proxy = await startProxy(outside.host);
  const all = contentsOfText(STACK);
  const images = all.images.slice(0, 6);
  contents = { ...all, images, references: images.length };
  const place = { folder: join(folder, "layout"), host: outside.host, size: LAYER };
  const upstreams = all.images.map(({ upstream }) => upstream);
  await publishImages(tools.skopeo, place, upstreams);
  await writeCharts(join(folder, "charts"), all);
  await writeFile(join(folder, "Pulumi.gap.yaml"), STACK);
}, 120_000);

beforeEach((context: TestContext) => {
  if (typeof tools === "string") context.skip(tools);
  proxy.reset();
});

afterAll(async () => {
  if (typeof tools === "string") return;
  proxy.stop();
  await outside.stop();
  await rm(folder, { recursive: true });
});

const remoteTo = (via: string, more: Partial<RemoteOptions> = {}): Remote =>
  new Remote({
    via,
    timeout: 5000,
    credentials: () => undefined,
    retry: { retries: 3, delay: 10 },
    ...more,
  });

async function bundlerTo(remote: Remote, name: string): Promise<Bundler> {
  const out = join(folder, name);
  await mkdir(out, { recursive: true });
  return Bundler.open({ folder: out, remote, jobs: 3, dryRun: false, report: () => undefined });
}

/** Resolves and copies; gives the bundler for what it says about itself. */
async function carry(remote: Remote, name: string): Promise<Bundler> {
  const bundler = await bundlerTo(remote, name);
  await bundler.resolveImages(contents);
  await bundler.copyImages();
  remote.close();
  return bundler;
}

async function filesBelow(name: string): Promise<string[]> {
  const files = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
}

/** A disk of its own of the given size, or the test is skipped with the reason: mounting one takes root. */
async function smallDisk(context: TestContext, name: string, size: string): Promise<string> {
  const disk = join(folder, name);
  await mkdir(disk);
  try {
    await promisify(execFile)("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", disk]);
  } catch (error) {
    context.skip(`no small disk can be mounted here: ${(error as Error).message}`);
  }
  return disk;
}

const isBlob = (path: string): boolean => path.includes("/blobs/");

describe("platform bundle when things go wrong", { timeout: 60_000 }, () => {
  it("waits for a registry that answers 500 and then recovers", async () => {
    proxy.fault = (_method, _path, count) =>
      count < 2 ? { kind: "status", status: 500 } : undefined;
    const bundler = await carry(remoteTo(proxy.host), "recovers");
    expect(bundler.failures).toEqual([]);
    expect(imageTotals(bundler.resolved).images).toBe(contents.images.length);
  });

  it("gives up on a registry that goes on answering 500, and asks it no more", async () => {
    proxy.fault = () => ({ kind: "status", status: 503 });
    const bundler = await carry(remoteTo(proxy.host), "fails");
    const [problem, ...others] = failureProblems(bundler.failures);
    expect(others).toEqual([]);
    expect(problem?.code).toBe("bundle-host-failing");
    expect(problem?.found).toContain("answered 503");
    expect(bundler.failures).toHaveLength(contents.images.length);
    // Three were on their way, each repeated three times; the others were not asked for.
    expect(proxy.requests.length).toBeLessThanOrEqual(12);
  });

  it("goes on where a connection broke, and fetches nothing from the start", async () => {
    proxy.fault = (method, path, count) =>
      method === "GET" && isBlob(path) && count === 0 ? { kind: "cut", after: 10_000 } : undefined;
    const bundler = await carry(remoteTo(proxy.host), "cut");
    expect(bundler.failures).toEqual([]);
    const repeated = Map.groupBy(
      proxy.requests.filter((request) => request.startsWith("GET") && isBlob(request)),
      (request) => request.split(" ")[1],
    );
    const again = [...repeated.values()].flatMap(([, ...later]) => later);
    // Configurations are shorter than what arrived; layers are not.
    expect(again.length).toBeGreaterThan(5);
    for (const request of again) expect(request).toMatch(/ bytes=10000-$/);
    const blobs = (await filesBelow("cut")).filter((file) => isBlob(file));
    for (const file of blobs) expect(file).toContain((await hashFile(file)).digest.slice(7));
  });

  it("takes no content that is not what its digest says", async () => {
    proxy.fault = (method, path) =>
      method === "GET" && isBlob(path) ? { kind: "garble" } : undefined;
    const bundler = await carry(remoteTo(proxy.host), "garbled");
    expect(failureProblems(bundler.failures).map(({ code }) => code)).toEqual([
      "bundle-content-wrong",
    ]);
    const blobs = bundler.resolved.flatMap(({ tree }) => tree.blobs);
    for (const blob of blobs) expect(await bundler.store.has(blob)).toBe(false);
    expect((await filesBelow("garbled")).filter((file) => file.endsWith(".partial"))).toEqual([]);
  });

  it("fetches a layer once, however many images share it", async () => {
    const bundler = await carry(remoteTo(proxy.host), "shared");
    const gets = proxy.requests.filter((request) => request.startsWith("GET") && isBlob(request));
    const digests = gets.map((request) => request.slice(request.indexOf("sha256:")));
    expect(new Set(digests).size).toBe(digests.length);
    const { bytes, separately, blobs, blobReferences } = imageTotals(bundler.resolved);
    expect(blobReferences - blobs).toBeGreaterThanOrEqual(contents.images.length - 1);
    // Every platform of every image after the first has the shared layer again.
    const platforms = bundler.resolved.reduce(
      (sum, { tree }) => sum + Math.max(1, tree.manifests.length - 1),
      0,
    );
    expect(separately - bytes).toBeGreaterThan((contents.images.length - 1) * LAYER * 4);
    expect(separately - bytes).toBeLessThan(platforms * (LAYER * 4 + 1000));
    const onDisk = (await filesBelow("shared")).filter((file) => isBlob(file));
    const sizes = await Promise.all(onDisk.map(async (file) => (await stat(file)).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes);
  });

  it("names an image that its registry does not have, and carries the others", async () => {
    const [first] = contents.images;
    proxy.fault = (_method, path) =>
      path.includes("/cert-manager-webhook/") ? { kind: "status", status: 404 } : undefined;
    const all = contentsOfText(STACK);
    const images = [
      first,
      all.images.find((image) => image.upstream.includes("cert-manager-webhook:")),
    ];
    const bundler = await bundlerTo(remoteTo(proxy.host), "missing");
    await bundler.resolveImages({ ...contents, images: images.flatMap((image) => image ?? []) });
    const [problem] = failureProblems(bundler.failures);
    expect(problem?.code).toBe("bundle-content-missing");
    expect(problem?.found).toContain("quay.io/jetstack/cert-manager-webhook:");
    expect(bundler.resolved).toHaveLength(1);
  });

  it.each([
    ["an expired CA", "expired", "given", "CERT_HAS_EXPIRED"],
    ["a CA that nobody gave", "valid", "not given", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  ] as const)("says that a registry has %s", async (_name, ca, given, code) => {
    const certificates = await makeCertificates(join(folder, `certificates-${ca}`), ca);
    const registry = await startRegistry((tools as { registry: string }).registry, {
      folder: join(folder, `tls-${ca}`),
      tls: certificates,
    });
    try {
      // Any CA makes the client speak TLS to a loopback host.
      const other = await makeCertificates(join(folder, `other-${ca}`));
      const pem = await readFile(given === "given" ? certificates.ca : other.ca, "utf8");
      const bundler = await carry(remoteTo(registry.host, { ca: pem }), `tls-bundle-${ca}`);
      const [problem] = failureProblems(bundler.failures);
      expect(problem?.code).toBe("bundle-host-certificate");
      expect(problem?.found).toContain(code);
      expect(problem?.fix).toContain("kserve:registry.ca");
    } finally {
      await registry.stop();
    }
  });

  it.each([
    ["a wrong password", { ...USER, password: "wrong" }],
    ["no password", undefined],
  ] as const)("says that a registry does not take %s", async (_name, credentials) => {
    const registry = await startRegistry((tools as { registry: string }).registry, {
      folder: join(folder, "auth"),
      auth: true,
    });
    try {
      const remote = remoteTo(registry.host, { credentials: () => credentials });
      const bundler = await carry(remote, "auth-bundle");
      const [problem] = failureProblems(bundler.failures);
      expect(problem?.code).toBe("bundle-host-credentials");
      expect(JSON.stringify(problem)).not.toContain("wrong");
    } finally {
      await registry.stop();
    }
  });

  it("reports a full disk, keeps nothing half under a whole name, and goes on when there is room", async (context) => {
    const disk = await smallDisk(context, "disk", "128k");
    try {
      await writeFile(join(disk, "other"), Buffer.alloc(80_000));
      const remote = remoteTo(proxy.host);
      const bundler = await bundlerTo(remote, "space");
      await bundler.resolveImages({ ...contents, images: contents.images.slice(1, 2) });
      const blob = bundler.resolved[0]?.tree.blobs.find(
        ({ size }) => size > LAYER && size < 2 * LAYER,
      );
      const { registry, repository } = remote.locate({
        host: "docker.io",
        repository: contents.images[1]?.upstream.replace(/^docker\.io\/(.*):.*$/, "$1") ?? "",
      });
      const request = {
        file: join(disk, "layer"),
        digest: blob?.digest ?? "",
        open: (from: number) => registry.blob(repository, blob?.digest ?? "", from),
        retry: remote.retry,
      };
      const error: unknown = await download(request).catch((thrown: unknown) => thrown);
      expect(machineProblem(error, disk)?.code).toBe("bundle-disk-full");
      expect((await readdir(disk)).sort()).toEqual(["layer.partial", "other"]);
      await rm(join(disk, "other"));
      proxy.requests.length = 0;
      expect((await download(request)).digest).toBe(blob?.digest);
      expect(proxy.requests[0]).toMatch(/bytes=\d+-$/);
      expect(await readdir(disk)).toEqual(["layer"]);
    } finally {
      await promisify(execFile)("umount", [disk]);
    }
  });

  it("says before the first layer that the disk is too small", async (context) => {
    const disk = await smallDisk(context, "small", "256k");
    try {
      const error: unknown = await carry(remoteTo(proxy.host), "small").catch(
        (thrown: unknown) => thrown,
      );
      expect(machineProblem(error, disk)?.code).toBe("bundle-disk-space");
      expect(proxy.requests.filter((request) => isBlob(request))).toEqual([]);
    } finally {
      await promisify(execFile)("umount", [disk]);
    }
  });
});

describe("platform bundle, interrupted", { timeout: 120_000 }, () => {
  const args = (out: string): string[] => [
    ...[join(ROOT, "cli", "platform.js"), "bundle", "--stack", join(folder, "Pulumi.gap.yaml")],
    ...["--out", out, "--via", proxy.host, "--charts", join(folder, "charts")],
    ...["--parts", "images,charts,model", "--jobs", "3"],
  ];

  /** Starts the command, and sends it a signal as soon as a few layers are there and others on their way. */
  async function interrupt(
    out: string,
    signal: NodeJS.Signals,
  ): Promise<{ code: number | null; text: string }> {
    const child = spawn(process.execPath, args(out), { stdio: ["ignore", "pipe", "pipe"] });
    const words: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => words.push(chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => words.push(chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const fetched = (): number =>
      proxy.requests.filter((request) => request.startsWith("GET") && isBlob(request)).length;
    const deadline = Date.now() + 30_000;
    while (fetched() < 12 && Date.now() < deadline) await sleep(10);
    child.kill(signal);
    return { code: await ended, text: words.join("") };
  }

  it.each([
    ["SIGINT", 1, /Interrupted\. Run the same command again/],
    ["SIGKILL", null, /^/],
  ] as const)("by %s goes on: nothing twice, nothing half", async (signal, code, words) => {
    const out = join(folder, `interrupted-${signal}`);
    proxy.fault = (method, path) =>
      method === "GET" && isBlob(path) ? { kind: "slow", delay: 150 } : undefined;
    const first = await interrupt(out, signal);
    expect(first.code).toBe(code);
    expect(first.text).toMatch(words);
    expect(first.text).not.toMatch(/\n\s+at /);
    const before = (await readdir(join(out, "images", "blobs", "sha256"))).filter(
      (name) => !name.endsWith(".partial"),
    );
    expect(before.length).toBeGreaterThan(10);
    expect(await readdir(out)).not.toContain("bundle.json");
    proxy.fault = () => undefined;
    proxy.requests.length = 0;
    await promisify(execFile)(process.execPath, args(out));
    const again = before.filter((hex) => proxy.requests.some((request) => request.includes(hex)));
    expect(again).toEqual([]);
    expect(
      (await filesBelow(`interrupted-${signal}`)).filter((file) => file.endsWith(".partial")),
    ).toEqual([]);
    expect(await damagedFiles(out, 2, () => undefined)).toEqual([]);
    expect(await readdir(out)).toContain("bundle.json");
  });
});
