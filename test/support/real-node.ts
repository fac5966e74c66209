/** What tests of a real node need: programs, images made by hand, and a look at what a node leaves behind. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { create } from "tar";
import { missingForReal, NODE_BINARIES, unavailable } from "../../sandbox/real/index.ts";
import type { NodeBinaries } from "../../sandbox/real/index.ts";
import { acquireTools } from "../../sandbox/toolchain/index.ts";

const run = promisify(execFile);
const OCI = "application/vnd.oci.image";

/** Why no node can be tried here; nothing when one can. Printed, since a skipped test says nothing. */
export async function noRealNode(): Promise<string | undefined> {
  const missing = await missingForReal();
  const reason = missing.length > 0 ? unavailable(missing).message : undefined;
  if (reason !== undefined) process.stderr.write(`Tests of a real node SKIPPED: ${reason}\n`);
  return reason;
}

/** Paths of the programs that the toolchain has for a node, and of the DNS server that runs in a pod. */
export async function nodePrograms(): Promise<NodeBinaries & { readonly coredns: string }> {
  const names = [...NODE_BINARIES, "coredns"] as const;
  const tools = await acquireTools({ report: () => undefined }, names);
  const pairs = names.map((name) => [name, tools[name].path]);
  return Object.fromEntries(pairs) as NodeBinaries & { coredns: string };
}

/** An image of files that are all there is in it. */
export interface HandMade {
  /** Full name. */
  readonly name: string;
  /** Paths inside by files outside; all of them may be run. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
}

/** Writes an OCI archive by hand: nothing of the program under test is used. */
export async function writeArchive(file: string, image: HandMade): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "image-"));
  const blobs = join(work, "layout", "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, content: Buffer) => {
    const hex = createHash("sha256").update(content).digest("hex");
    await writeFile(join(blobs, hex), content);
    return { mediaType: `${OCI}.${mediaType}`, digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const layer = await put("layer.v1.tar", await layerOf(join(work, "root"), image.files));
  const config = await put(
    "config.v1+json",
    json({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Entrypoint: image.entrypoint },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    }),
  );
  const mediaType = `${OCI}.manifest.v1+json`;
  const manifest = await put(
    "manifest.v1+json",
    json({ schemaVersion: 2, mediaType, config, layers: [layer] }),
  );
  const annotations = { "io.containerd.image.name": image.name };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  await writeFile(join(work, "layout", "index.json"), json(index));
  await writeFile(join(work, "layout", "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  await create({ file, cwd: join(work, "layout") }, ["oci-layout", "index.json", "blobs"]);
  await rm(work, { recursive: true });
}

async function layerOf(root: string, files: HandMade["files"]): Promise<Buffer> {
  await mkdir(root);
  for (const [inside, outside] of Object.entries(files)) {
    await mkdir(join(root, inside, ".."), { recursive: true });
    await copyFile(outside, join(root, inside));
    await chmod(join(root, inside), 0o755);
  }
  const file = `${root}.tar`;
  await create({ file, cwd: root, portable: true }, await readdir(root));
  return readFile(file);
}

/** Debian's static busybox: a shell, a web server and a client in one file. */
export async function busybox(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await run("apt-get", ["download", "busybox-static"], { cwd: folder });
  const [file = ""] = (await readdir(folder)).filter((name) => name.endsWith(".deb"));
  await run("dpkg", ["-x", join(folder, file), folder]);
  return join(folder, existsSync(join(folder, "bin/busybox")) ? "bin/busybox" : "usr/bin/busybox");
}

/** The machine's side of what a node could leave behind. */
export interface Traces {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  /** Routes, rules and settings that a node changes in its own namespace. */
  readonly network: readonly string[];
  readonly groups: readonly string[];
  readonly folders: readonly string[];
}

/** Looks at mounts, links, routes, control groups and the folders that containers use. */
export async function traces(): Promise<Traces> {
  const lines = async (...argv: string[]) =>
    (await run(argv[0] ?? "", argv.slice(1))).stdout.trimEnd().split("\n");
  const settings = ["net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "vm/panic_on_oom"];
  return {
    mounts: readFileSync("/proc/mounts", "utf8").split("\n").sort(),
    links: (await lines("ip", "-o", "link")).map((line) => line.split(":")[1] ?? ""),
    network: [
      ...(await lines("ip", "route")),
      ...(await lines("ip", "rule")),
      ...settings.map((name) => `${name} ${readFileSync(`/proc/sys/${name}`, "utf8")}`),
    ],
    groups: readdirSync("/sys/fs/cgroup", { recursive: true })
      .map(String)
      .filter((name) => name.includes("kserve-platform-e2e-real"))
      .sort(),
    folders: ["/var/lib", "/var/log", "/run", "/opt", "/etc"].flatMap((folder) =>
      readdirSync(folder).map((name) => `${folder}/${name}`),
    ),
  };
}

/** Processes with a text in their arguments, or in a network namespace; this process left out. */
export function processesOf(wanted: {
  readonly text: string;
  readonly namespace?: string;
}): string[] {
  return readdirSync("/proc").filter((id) => {
    if (!/^\d+$/.test(id) || Number(id) === process.pid) return false;
    try {
      const text = readFileSync(`/proc/${id}/cmdline`, "utf8");
      const namespace = readlinkSync(`/proc/${id}/ns/net`);
      return text.includes(wanted.text) || namespace === wanted.namespace;
    } catch {
      return false;
    }
  });
}
