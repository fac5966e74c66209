import { copyFile, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { RemoteFailure } from "../registry/failure.ts";
import { hashFile, PARTIAL } from "./download.ts";
import type { Downloaded } from "./download.ts";

/** A package of the lock file. */
export interface PackageFile {
  readonly name: string;
  readonly version: string;
  /** `sha512-<base64>`, the lock file's own checksum. */
  readonly integrity: string;
  /** Path below the bundle's folder. */
  readonly file: string;
}

/** Operating system and processor in npm's words. */
export interface PackagePlatform {
  readonly os: string;
  readonly cpu: string;
}

/** npm writes one value as it is in the package, as text or as a list. */
const oneOrMany = z.union([z.array(z.string()), z.string().transform((one) => [one])]);

const lockFile = z.object({
  lockfileVersion: z.int().min(2),
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      name: z.string().optional(),
      dev: z.boolean().optional(),
      link: z.boolean().optional(),
      os: oneOrMany.optional(),
      cpu: oneOrMany.optional(),
    }),
  ),
});

/** The packages that `npm ci --omit=dev` needs on a platform, each once, by name and version. */
export function packagesOf(lockText: string, platform: PackagePlatform): PackageFile[] {
  const { packages } = lockFile.parse(JSON.parse(lockText));
  const byFile = new Map<string, PackageFile>();
  for (const [path, item] of Object.entries(packages)) {
    const { version, integrity } = item;
    if (path === "" || item.dev === true || item.link === true) continue;
    if (version === undefined || integrity === undefined || !fits(item, platform)) continue;
    const name = nameOf(path, item.name);
    const file = `npm/${name.replace("/", "+").replace("@", "")}-${version}.tgz`;
    byFile.set(file, { name, version, integrity, file });
  }
  return [...byFile.values()].sort((one, two) => (one.file < two.file ? -1 : 1));
}

/** Name of the lock file that finds the packages in the bundle. */
export const BUNDLE_LOCK = "npm/package-lock.json";

/**
 * The lock file with every carried package at its place in the bundle, so that `npm ci --offline` needs neither a
 * registry nor a filled cache. Everything else of it stays, integrity included.
 */
export function bundleLock(lockText: string, packages: readonly PackageFile[]): string {
  const lock = JSON.parse(lockText) as { packages: Record<string, Record<string, unknown>> };
  const files = new Map(packages.map(({ name, version, file }) => [`${name}@${version}`, file]));
  for (const [path, item] of Object.entries(lock.packages)) {
    const file = files.get(`${nameOf(path, item["name"])}@${String(item["version"])}`);
    if (file !== undefined) item["resolved"] = `file:${file}`;
  }
  return `${JSON.stringify(lock, null, 2)}\n`;
}

/** Takes a package's archive out of npm's cache, where it lies under its checksum (npm/cacache@v20:lib/content/path.js). */
export async function takeFromCache(
  cache: string,
  { name, version, integrity }: PackageFile,
  file: string,
): Promise<Downloaded> {
  const [algorithm = "", base64 = ""] = (integrity.split(" ")[0] ?? "").split(/-(.*)/s);
  const hex = Buffer.from(base64, "base64").toString("hex");
  const content = join(
    cache,
    "_cacache",
    "content-v2",
    algorithm,
    hex.slice(0, 2),
    hex.slice(2, 4),
    hex.slice(4),
  );
  await mkdir(dirname(file), { recursive: true });
  await copyFile(content, `${file}${PARTIAL}`).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new RemoteFailure("missing", "npm", `npm brought no ${name}@${version}`);
  });
  await rename(`${file}${PARTIAL}`, file);
  return hashFile(file);
}

/** An alias has its package's name beside it; the others are named by their folder. */
function nameOf(path: string, name: unknown): string {
  if (typeof name === "string") return name;
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

function fits(
  item: { os?: string[] | undefined; cpu?: string[] | undefined },
  platform: PackagePlatform,
): boolean {
  return allows(item.os, platform.os) && allows(item.cpu, platform.cpu);
}

/** npm's lists name what is allowed, or with an exclamation mark what is not. */
function allows(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined || list.length === 0) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((item) => item.startsWith("!"));
}
