import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import { findExecutable } from "../toolchain/on-path.ts";

/** A plugin in a plugin folder of Pulumi. */
export interface InstalledPlugin {
  /** Path of the executable. */
  readonly path: string;
  readonly version: string;
}

/**
 * Looks in a plugin folder (`$PULUMI_HOME/plugins`) for a resource plugin that serves an SDK of version `wanted`: that
 * very version, else the newest later one of the same major version. Unfinished installations do not count.
 */
export async function findInstalled(
  folder: string,
  packageName: string,
  wanted: string,
): Promise<InstalledPlugin | undefined> {
  const prefix = `resource-${packageName}-v`;
  const names = await readdir(folder).catch(() => []);
  const versions = names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((version) => version === wanted || semver.satisfies(version, `^${wanted}`))
    .sort((a, b) => Number(b === wanted) - Number(a === wanted) || semver.rcompare(a, b));
  for (const version of versions) {
    const home = join(folder, `${prefix}${version}`);
    // Pulumi keeps this file beside the folder until an installation is whole (sdk/go/common/workspace/plugins.go).
    if (existsSync(`${home}.partial`)) continue;
    const path = await findExecutable(`pulumi-resource-${packageName}`, home);
    if (path !== undefined) return { path, version };
  }
  return undefined;
}
