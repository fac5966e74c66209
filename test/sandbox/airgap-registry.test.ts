/** The sandbox's registry, real, and what is put into it; no cluster is needed for that. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { BundleImage, Contents } from "../../bundle/contents.ts";
import { Loader } from "../../bundle/load.ts";
import { ImageStore } from "../../bundle/store.ts";
import { parseReference } from "../../images/reference.ts";
import { Registry } from "../../registry/registry.ts";
import { fillRegistry } from "../../sandbox/airgap/fill.ts";
import type { Filled } from "../../sandbox/airgap/fill.ts";
import { putStandIn } from "../../sandbox/airgap/stand-in-images.ts";
import { findProcesses } from "../../sandbox/cluster/processes.ts";
import { REGISTRY_USER } from "../../sandbox/registry/config.ts";
import {
  prepareRegistry,
  registryRuns,
  startRegistry,
  stopRegistry,
} from "../../sandbox/registry/server.ts";
import type { SandboxRegistry } from "../../sandbox/registry/server.ts";
import { layer, writeLayout } from "../support/images.ts";
import { registryTools } from "../support/registry.ts";

const NAME = "registry-test";
const tools = await registryTools();
let folder: string;
let registry: SandboxRegistry;

const program = (): string => (tools as { registry: string }).registry;

beforeEach((context) => {
  if (typeof tools === "string") context.skip(tools);
});
beforeAll(async () => {
  if (typeof tools === "string") return;
  folder = await mkdtemp(join(tmpdir(), "airgap-registry-"));
  process.env["KSERVE_PLATFORM_STATE"] = folder;
  registry = await prepareRegistry(NAME);
  await startRegistry(registry, program());
});
afterAll(async () => {
  if (typeof tools === "string") return;
  await stopRegistry(NAME);
  await rm(folder, { recursive: true, force: true });
});

function client(credentials?: { username: string; password: string }): Registry {
  const retry = { retries: 0, delay: 0 };
  const { host, ca } = registry;
  return new Registry({ host, ca, timeout: 5000, retry, credentials });
}

function image(path: string, digest?: string): BundleImage {
  const installed = `${registry.host}/docker.io/${path}`;
  const pinned = digest === undefined ? {} : { digest };
  return { upstream: `docker.io/${path}`, installed, usedBy: [], ...pinned };
}

async function fill(images: readonly BundleImage[]): Promise<Filled> {
  const contents: Contents = {
    mode: "RawDeployment",
    releases: {},
    images,
    charts: [],
    manifests: [],
    references: images.length,
  };
  const work = join(folder, "work");
  const manifests = join(folder, "manifests");
  return fillRegistry({ registry, contents, work, manifests, loaded: new Set() });
}

/** An image with a layer in it, under the name that the stack installs it from. Gives its digest. */
async function pushReal(path: string): Promise<string> {
  const layout = join(folder, "real", "images");
  await writeLayout(layout, [{ name: path, platforms: { amd64: [layer(path)] } }]);
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as {
    manifests: { digest: string }[];
  };
  const digest = index.manifests[0]?.digest ?? "";
  const target = parseReference(image(path).installed);
  if (target === undefined) throw new Error(path);
  await new Loader(join(folder, "real")).pushImage(client(REGISTRY_USER), digest, target);
  return digest;
}

it("runs once, and comes back on its port with what it holds", async () => {
  const first = await registryRuns(NAME);
  expect(first).toBeDefined();
  await startRegistry(await prepareRegistry(NAME), program());
  expect(await registryRuns(NAME)).toBe(first);
  await fill([image("team/kept:1")]);
  process.kill(first ?? 0, "SIGKILL");
  await expect.poll(() => registryRuns(NAME)).toBeUndefined();
  const again = await prepareRegistry(NAME);
  expect(again.host).toBe(registry.host);
  expect(again.ca).toBe(registry.ca);
  await startRegistry(again, program());
  const kept = await client(REGISTRY_USER).digestOf("docker.io/team/kept", "1");
  expect(kept).toMatch(/^sha256:/);
});

it("lets nobody in without the password", async () => {
  await expect(client().digestOf("docker.io/team/kept", "1")).rejects.toMatchObject({
    kind: "auth",
  });
});

it("is filled with stand-ins once, and the stack pins those of pinned images", async () => {
  const upstream = `sha256:${"1".repeat(64)}`;
  const images = [image("team/a:1"), image("team/b:2", upstream)];
  const filled = await fill(images);
  expect(filled.images).toEqual({ real: 0, built: 0, server: 0, standIn: 2 });
  const { digest } = await putStandIn(
    new ImageStore(join(folder, "other")),
    images[1]?.upstream ?? "",
  );
  expect(filled.pinned).toEqual({
    "docker.io/team/b:2": `${registry.host}/docker.io/team/b:2@${digest}`,
  });
  expect(await client(REGISTRY_USER).digestOf("docker.io/team/b", "2")).toBe(digest);
  expect(await fill(images)).toEqual(filled);
});

it("keeps real images, by tag and by the digest that upstream has, and pins nothing for them", async () => {
  const byTag = await pushReal("team/real:1");
  const byDigest = await pushReal("team/pinned:1");
  const filled = await fill([image("team/real:1"), image("team/pinned:1", byDigest)]);
  expect(filled).toMatchObject({
    images: { real: 2, built: 0, server: 0, standIn: 0 },
    pinned: {},
  });
  expect(await client(REGISTRY_USER).digestOf("docker.io/team/real", "1")).toBe(byTag);
});

it("takes a port of its own when something else has taken the old one", async () => {
  const other = "registry-other";
  const before = await prepareRegistry(other);
  const port = Number(before.host.split(":")[1]);
  const { createServer } = await import("node:net");
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, "127.0.0.1", resolve));
  expect((await prepareRegistry(other)).host).not.toBe(before.host);
  squatter.close();
  await stopRegistry(other);
});

it("ends although its folder was removed by hand", async () => {
  const gone = "registry-gone";
  const prepared = await prepareRegistry(gone);
  await startRegistry(prepared, program());
  const running = await registryRuns(gone);
  await rm(prepared.layout.folder, { recursive: true });
  await stopRegistry(gone);
  expect(running).toBeDefined();
  // A child that has ended is seen until this process has taken note.
  await expect.poll(() => findProcesses(join(prepared.layout.folder, "bin"))).toEqual([]);
});
