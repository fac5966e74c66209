/**
 * The images that hold Python and Envoy, made from what package registries carry and run: their layers are unpacked into
 * a folder, and their programs run in it as their users, in namespaces of their own, where nobody else hears them.
 */
import { execFile } from "node:child_process";
import { access, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { NAMES } from "../../bundle/manifest.ts";
import { parseManifest } from "../../bundle/oci.ts";
import { ImageStore } from "../../bundle/store.ts";
import { buildImages, imagesFolder, irisModel } from "../../sandbox/images/index.ts";
import type { BuiltImage } from "../../sandbox/images/index.ts";
import { unpackLayers } from "../../sandbox/images/layer.ts";
import type { Layer } from "../../sandbox/images/layer.ts";
import { cacheFolder } from "../../sandbox/paths.ts";

const WANTED = {
  envoy: "docker.io/envoyproxy/envoy:distroless-v1.38.3",
  server: "docker.io/kserve/sklearnserver:v0.20.0",
  storage: "docker.io/kserve/storage-initializer:v0.20.0",
};
const run = promisify(execFile);

let folder: string;
let images: BuiltImage[];
let model: string;

async function obstacle(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return "not Linux on x86-64";
  if (process.getuid?.() !== 0) return "not root: chroot and namespaces need it";
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!release.includes("VERSION_CODENAME=bookworm")) return "not Debian 12";
  return access("/usr/bin/unshare").then(
    () => undefined,
    () => "no unshare",
  );
}

const reason = await obstacle();
if (reason !== undefined) process.stderr.write(`Tests of images that run SKIPPED: ${reason}\n`);

beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-images-"));
  if (reason !== undefined) return;
  const report = () => undefined;
  images = await buildImages({ programs: {}, wanted: Object.values(WANTED), report });
  model = await irisModel({ report });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Config {
  readonly config: { readonly Entrypoint: readonly string[]; readonly User: string };
}

/** Unpacks an image into a folder, as a container would see it, and gives how it is run. */
async function unpack(upstream: string): Promise<{ root: string } & Config["config"]> {
  const store = new ImageStore(join(imagesFolder(cacheFolder()), NAMES.images));
  const digest = images.find((image) => image.upstream === upstream)?.digest ?? "";
  const manifest = await store.manifest(digest);
  if (manifest === undefined) throw new Error(`${upstream} was not built`);
  const content = JSON.parse(manifest.bytes.toString()) as {
    config: { digest: string };
    layers: Layer[];
  };
  expect(parseManifest(manifest).blobs).toHaveLength(content.layers.length + 1);
  const root = join(folder, digest.slice("sha256:".length));
  await unpackLayers(store, content.layers, { folder: root });
  const config = JSON.parse(await readFile(store.path(content.config.digest), "utf8")) as Config;
  return { root, ...config.config };
}

/** Runs a command in the root of an image, in a network, mount and process namespace of its own. */
async function inside(root: string, user: string, command: readonly string[]): Promise<string> {
  for (const name of ["proc", "dev"]) await mkdir(join(root, name), { recursive: true });
  const script =
    'mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; exec chroot --userspec="$2" "$1" "${@:3}"';
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child"];
  const { stdout, stderr } = await run(
    "unshare",
    [...namespaces, "bash", "-ec", script, "bash", root, user, ...command],
    { timeout: 120_000, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, maxBuffer: 1 << 26 },
  );
  return stdout + stderr;
}

it("predicts the class of flowers on both protocols", async () => {
  const { root, Entrypoint } = await unpack(WANTED.server);
  await mkdir(join(root, "mnt", "models"), { recursive: true });
  await copyFile(join(model, "model.joblib"), join(root, "mnt", "models", "model.joblib"));
  await copyFile(join(import.meta.dirname, "..", "support", "probe.py"), join(root, "probe.py"));
  const flags = ["--model_name=iris", "--model_dir=/mnt/models", "--http_port=8080"];
  const probe = ["/usr/bin/python3.11", "/probe.py", ...Entrypoint, ...flags];
  const output = await inside(root, "0:0", probe);
  const answer = output.split("\n").find((line) => line.startsWith('{"seconds"')) ?? output;
  // Versicolor, versicolor, setosa.
  expect(JSON.parse(answer)).toMatchObject({ v1: [1, 1, 0], v2: [1, 1, 0] });
});

it("imports without compiling: every module that is loaded was compiled before", async () => {
  const { root } = await unpack(WANTED.server);
  const command = ["/usr/bin/python3.11", "-v", "-c", "import kserve, sklearn, joblib"];
  const output = await inside(root, "1000:1000", command);
  expect(output).toContain("kserve");
  // Python says `code object from '<file>.pyc'` or `code object from <file>.py`, of which only the first was there.
  expect(output.split("\n").filter((line) => /^# code object from \S+\.py$/.test(line))).toEqual(
    [],
  );
});

it("brings a model from a folder", async () => {
  const { root, Entrypoint, User } = await unpack(WANTED.storage);
  await mkdir(join(root, "mnt", "pvc"), { recursive: true });
  await mkdir(join(root, "mnt", "models"), { mode: 0o777 });
  await run("chmod", ["777", join(root, "mnt", "models")]);
  await writeFile(join(root, "mnt", "pvc", "model.joblib"), "a model");
  const pair = ["file:///mnt/pvc", "/mnt/models"];
  await inside(root, `${User}:${User}`, [...Entrypoint, ...pair]);
  expect((await run("ls", [join(root, "mnt", "models")])).stdout).toContain("model.joblib");
});

it("starts Envoy as its user", async () => {
  const { root, Entrypoint, User } = await unpack(WANTED.envoy);
  const listener = "static_resources: {}";
  const args = ["--mode", "validate", "--config-yaml", listener];
  expect(await inside(root, User, [...Entrypoint, ...args])).toContain("OK");
  expect(await inside(root, User, [...Entrypoint, "--version"])).toContain("/1.38.3/");
});
