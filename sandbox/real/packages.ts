import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { withLock } from "../toolchain/lock.ts";
import { findExecutable } from "../toolchain/on-path.ts";
import { run } from "../toolchain/run.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import type { ToolProgress } from "../toolchain/tools.ts";

/** Debian packages that hold what a node runs beside Kubernetes itself. They are unpacked, never installed. */
const PACKAGES = [
  "containerd",
  "runc",
  "containernetworking-plugins",
  "nftables",
  "iptables",
] as const;
/** Every system has these, and a second C library beside the first breaks programs. */
const LEFT_OUT = /^(libc6|libgcc-s1|gcc-\d+-base|libcrypt1|netbase|debconf|dpkg|perl.*)$/;
/** `iptables` is one program under several names; Debian's installer makes the links, unpacking does not. */
const IPTABLES = [
  "iptables",
  "iptables-save",
  "iptables-restore",
  "ip6tables",
  "ip6tables-save",
  "ip6tables-restore",
];
/** What has to be there for a node to run. */
const PROGRAMS = [
  "containerd",
  "containerd-shim-runc-v2",
  "ctr",
  "runc",
  "nft",
  "iptables",
] as const;
/** Where distributions and upstream put network plugins. */
const PLUGIN_FOLDERS = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];
const PLUGINS = ["bridge", "host-local", "loopback", "portmap"] as const;
/** In a node's folder. */
const PROGRAMS_FILE = "programs.json";

/** The programs of a node that are no part of Kubernetes. */
export interface NodePrograms {
  /** Folders for PATH, before the system's own. */
  readonly path: readonly string[];
  /** More environment that they need. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder of the network plugins. */
  readonly plugins: string;
  readonly runc: string;
}

/** How {@link nodePrograms} reports and stops. */
export interface PackageOptions {
  readonly cache: string;
  readonly report: (progress: ToolProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Finds the programs in the cache or installed; else gets Debian's packages, once for a machine, under a lock. */
export async function nodePrograms(options: PackageOptions): Promise<NodePrograms> {
  const folder = await packageFolder(options.cache);
  const found = (await unpacked(folder)) ?? (await installed());
  if (found !== undefined) return found;
  const { report, signal } = options;
  const onWait = (holder: number) =>
    report({
      phase: "wait",
      done: 0,
      total: 0,
      detail: `process ${holder} is getting the same packages`,
    });
  return withLock(`${folder}.lock`, { onWait, signal }, async () => {
    // Whoever held the lock may have brought them.
    const meanwhile = await unpacked(folder);
    if (meanwhile !== undefined) return meanwhile;
    await getPackages(folder, options);
    const brought = await unpacked(folder);
    if (brought === undefined) throw incompleteError(folder);
    return brought;
  });
}

/** True when nothing has to be fetched. */
export async function haveNodePrograms(cache: string): Promise<boolean> {
  return ((await unpacked(await packageFolder(cache))) ?? (await installed())) !== undefined;
}

/** One folder for a list of packages on a release of a distribution: another release brings other libraries. */
async function packageFolder(cache: string): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const digest = createHash("sha256")
    .update([process.arch, ...PACKAGES, release].join("\n"))
    .digest("hex")
    .slice(0, 16);
  return join(cache, "real", digest);
}

/** The programs in a folder of unpacked packages; a rename put it there, so it is whole or not there. */
async function unpacked(folder: string): Promise<NodePrograms | undefined> {
  const root = join(folder, "root");
  if (!existsSync(join(root, "usr/bin/containerd"))) return undefined;
  const triplet = (await readdir(join(root, "usr/lib"))).find((name) =>
    name.includes("-linux-gnu"),
  );
  const libraries = join(root, "usr/lib", triplet ?? "");
  return {
    path: [join(folder, "links"), join(root, "usr/bin"), join(root, "usr/sbin")],
    env: { LD_LIBRARY_PATH: libraries, XTABLES_LIBDIR: join(libraries, "xtables") },
    plugins: join(root, "usr/lib/cni"),
    runc: join(root, "usr/sbin/runc"),
  };
}

/** The programs as somebody installed them, when all of them are. */
async function installed(): Promise<NodePrograms | undefined> {
  const path = process.env["PATH"] ?? "";
  const files = await Promise.all(PROGRAMS.map((name) => findExecutable(name, path)));
  const plugins = PLUGIN_FOLDERS.find((folder) =>
    PLUGINS.every((plugin) => existsSync(join(folder, plugin))),
  );
  const runc = files[PROGRAMS.indexOf("runc")];
  if (files.includes(undefined) || plugins === undefined || runc === undefined) return undefined;
  return {
    path: path.split(":").filter((folder) => folder.startsWith("/")),
    env: {},
    plugins,
    runc,
  };
}

/**
 * Asks apt with the machine's own lists first. Where they are absent or out of date, fresh lists go to the cache: the
 * machine's own are not ours to change.
 */
async function getPackages(folder: string, options: PackageOptions): Promise<void> {
  await removeUnfinished(folder);
  const work = `${folder}.${randomUUID()}`;
  const lists = join(work, "lists");
  await mkdir(join(lists, "partial"), { recursive: true });
  await mkdir(join(work, "links"));
  try {
    const fresh = [`Dir::State::Lists=${lists}`, `Dir::Cache=${join(work, "apt-cache")}`];
    await mkdir(join(work, "apt-cache/archives/partial"), { recursive: true });
    if (!(await download(work, [], options))) {
      tell(options, 1, "the lists of packages are out of date, getting new ones into the cache");
      await apt("apt-get", [...settings(fresh), "update"], { options, cwd: work });
      if (!(await download(work, fresh, options))) throw downloadError();
    }
    await unpackAll(work, options);
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What a killed run left beside the folder; only for the holder of the lock. */
async function removeUnfinished(folder: string): Promise<void> {
  const [parent, name] = [dirname(folder), basename(folder)];
  const unfinished = (await readdir(parent)).filter(
    (entry) => entry.startsWith(`${name}.`) && !entry.startsWith(`${name}.lock`),
  );
  for (const entry of unfinished) await rm(join(parent, entry), { recursive: true, force: true });
}

/** Downloads the packages and everything below them; false when apt does not know them or they are not served. */
async function download(
  work: string,
  aptSettings: readonly string[],
  options: PackageOptions,
): Promise<boolean> {
  tell(options, 0, "asking apt");
  const only = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
  const args = ["depends", "--recurse", ...only.map((kind) => `--no-${kind}`), ...PACKAGES];
  const list = await apt("apt-cache", [...settings(aptSettings), ...args], { options, cwd: work });
  const names = packageNames(list.stdout);
  if (list.code !== 0 || !PACKAGES.every((name) => names.includes(name))) return false;
  tell(options, 2, `downloading ${names.length} packages`);
  const got = await apt("apt-get", [...settings(aptSettings), "download", ...names], {
    options,
    cwd: work,
  });
  return got.code === 0;
}

/** Names at the beginning of a line are packages; indented ones are relations, and those in brackets virtual. */
export function packageNames(output: string): string[] {
  const names = output.split("\n").filter((line) => /^[a-z0-9]/.test(line));
  return [...new Set(names)].filter((name) => !LEFT_OUT.test(name));
}

async function unpackAll(work: string, options: PackageOptions): Promise<void> {
  const files = (await readdir(work)).filter((name) => name.endsWith(".deb"));
  for (const [index, file] of files.entries()) {
    options.report({ phase: "unpack packages", done: index, total: files.length, detail: file });
    const result = await run("dpkg", ["-x", join(work, file), join(work, "root")], options);
    if (result.code !== 0) throw unpackError(file, result.errorTail);
    await rm(join(work, file));
  }
  for (const name of IPTABLES)
    await symlink("../root/usr/sbin/xtables-nft-multi", join(work, "links", name));
  for (const leftover of ["lists", "apt-cache"])
    await rm(join(work, leftover), { recursive: true, force: true });
}

function settings(values: readonly string[]): string[] {
  return values.flatMap((value) => ["-o", value]);
}

function apt(
  command: string,
  args: readonly string[],
  { options, cwd }: { readonly options: PackageOptions; readonly cwd: string },
) {
  return run(command, args, { cwd, signal: options.signal, env: { ...process.env, LC_ALL: "C" } });
}

function tell(options: PackageOptions, done: number, detail: string): void {
  options.report({ phase: "Debian packages", done, total: 3, detail });
}

function downloadError() {
  return sandboxError({
    code: "sandbox-real-packages",
    where: `apt-get download ${PACKAGES.join(" ")}`,
    found: "apt does not get them, with new lists neither",
    allowed: "packages of Debian or Ubuntu from the sources of this machine",
    fix: `run apt-get update to see why, or install ${PACKAGES.join(", ")}`,
  });
}

function unpackError(file: string, lines: readonly string[]) {
  return sandboxError({
    code: "sandbox-real-unpack",
    where: `dpkg -x ${file}`,
    found: lines.at(-1) ?? "an exit code other than 0",
    allowed: "a package that unpacks",
    fix: "look whether the disk of the cache folder is full, then run the same command again",
  });
}

function incompleteError(folder: string) {
  return sandboxError({
    code: "sandbox-real-packages",
    where: folder,
    found: "packages without usr/bin/containerd",
    allowed: `the programs ${PROGRAMS.join(", ")}`,
    fix: `install ${PACKAGES.join(", ")}`,
  });
}

/** Writes down which programs a node runs with, for whoever comes later. */
export async function rememberPrograms(folder: string, programs: NodePrograms): Promise<void> {
  await writeFile(join(folder, PROGRAMS_FILE), JSON.stringify(programs, undefined, 2));
}

/** The programs that a node was started with; nothing when there is no node. */
export async function knownPrograms(folder: string): Promise<NodePrograms | undefined> {
  const text = await readFile(join(folder, PROGRAMS_FILE), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as NodePrograms);
}
