import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { ToolFile } from "../bundle/tools.ts";
import { packagesOf } from "../bundle/packages.ts";
import type { PackageFile } from "../bundle/packages.ts";
import { RemoteFailure } from "../registry/failure.ts";

const ROOT = resolve(import.meta.dirname, "..");
const NPM_TIMEOUT_MS = 1_200_000;

/** Processors that the tool chain is published for, in Node's words. */
export const ARCHITECTURES = ["x64", "arm64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** The programs that `pulumi up` needs inside the gap, for Linux: CLI, helm, Node with npm, and the plugins. */
export async function toolFiles(arch: Architecture): Promise<ToolFile[]> {
  const { officialRelease } = await import("../sandbox/toolchain/releases.ts");
  const { readChecksum } = await import("../sandbox/toolchain/download.ts");
  const { TOOLS } = await import("../sandbox/toolchain/tools.ts");
  const named = (["helm", "pulumi"] as const).flatMap((name) => {
    const release = officialRelease(name, { os: "linux", arch });
    return release === undefined ? [] : [{ name, version: TOOLS[name].version, release }];
  });
  const json = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as PackageJson;
  const all = [...named, node(json, arch), ...PLUGINS.map((name) => plugin(json, name, arch))];
  return all
    .map(({ name, version, release }) => ({
      name,
      version,
      file: `tools/${release.file}`,
      url: release.url,
      checksumUrl: release.checksumUrl,
      readChecksum: (text: string) =>
        readChecksum(text, { archive: "none", folder: "", ...release }),
    }))
    .sort((one, two) => (one.file < two.file ? -1 : 1));
}

/** The npm packages of the program, from its lock file. */
export async function packageFiles(arch: Architecture): Promise<PackageFile[]> {
  return packagesOf(await lockText(), { os: "linux", cpu: arch });
}

/** The program's own lock file. */
export function lockText(): Promise<string> {
  return readFile(join(ROOT, "package-lock.json"), "utf8");
}

/**
 * Lets npm fetch the packages of the lock file into a cache of its own, from the registry that it is configured for.
 * Answers with the cache folder, which the caller removes.
 */
export async function fillNpmCache(
  folder: string,
  arch: Architecture,
  signal: AbortSignal,
): Promise<string> {
  const cache = join(folder, ".npm");
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(folder, ".npm-install-"));
  const args = ["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"];
  args.push("--os=linux", `--cpu=${arch}`, `--cache=${cache}`);
  try {
    for (const file of ["package.json", "package-lock.json"])
      await copyFile(join(ROOT, file), join(work, file));
    await promisify(execFile)("npm", args, { cwd: work, signal, timeout: NPM_TIMEOUT_MS });
    return cache;
  } catch (error) {
    signal.throwIfAborted();
    throw new RemoteFailure("unreachable", "npm", `npm ci failed: ${npmMessage(error)}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Named {
  readonly name: string;
  readonly version: string;
  readonly release: {
    readonly url: string;
    readonly file: string;
    readonly checksumUrl: string;
    readonly checksumForm: "sums" | "github-release";
  };
}

/** Plugins of the program; each has the version of its package. */
const PLUGINS = ["kubernetes", "kubernetes-cert-manager"] as const;

/** GitHub itself states the digest of each asset (pulumi/pulumi@v3.259.0:sdk/go/common/workspace/plugins.go names them). */
function plugin(json: PackageJson, name: (typeof PLUGINS)[number], arch: Architecture): Named {
  const version = json.dependencies[`@pulumi/${name}`] ?? "";
  const file = `pulumi-resource-${name}-v${version}-linux-${GO_ARCH[arch]}.tar.gz`;
  const repository = `pulumi/pulumi-${name}`;
  return {
    name: `pulumi-resource-${name}`,
    version,
    release: {
      file,
      url: `https://github.com/${repository}/releases/download/v${version}/${file}`,
      checksumUrl: `https://api.github.com/repos/${repository}/releases/tags/v${version}`,
      checksumForm: "github-release",
    },
  };
}

const GO_ARCH: Readonly<Record<Architecture, string>> = { x64: "amd64", arm64: "arm64" };

/** The archive also holds npm, which the program is installed with. */
function node(json: PackageJson, arch: Architecture): Named {
  const version = json.optionalDependencies[`node-linux-${arch}`] ?? "";
  const base = `https://nodejs.org/dist/v${version}`;
  const file = `node-v${version}-linux-${arch}.tar.xz`;
  const checksumUrl = `${base}/SHASUMS256.txt`;
  return {
    name: "node",
    version,
    release: { file, url: `${base}/${file}`, checksumUrl, checksumForm: "sums" },
  };
}

/** npm's own words, without addresses that may carry tokens. */
function npmMessage(error: unknown): string {
  const { stderr, code } = error as { stderr?: string; code?: unknown };
  if (code === "ENOENT") return "there is no npm on PATH";
  const lines = (stderr ?? "").split("\n").filter((line) => /^npm (?:error|ERR!)/.test(line));
  const text = lines
    .slice(0, 3)
    .join("; ")
    .replaceAll(/\/\/[^\s/@]+@/g, "//");
  return text === "" ? String(code) : text;
}
