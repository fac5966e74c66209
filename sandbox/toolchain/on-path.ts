import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import satisfies from "semver/functions/satisfies.js";
import { parseVersion, TOOLS } from "./tools.ts";
import type { Tool, ToolName } from "./tools.ts";

const VERSION_TIMEOUT_MS = 5_000;

/** The tool as it is on PATH, when its version fits; otherwise nothing, whatever the reason. */
export async function findOnPath(name: ToolName, path: string): Promise<Tool | undefined> {
  const { onPath } = TOOLS[name];
  if (onPath === undefined) return undefined;
  for (const called of [name, ...(onPath.alsoCalled ?? [])]) {
    const file = await findExecutable(called, path);
    if (file === undefined) continue;
    const version = parseVersion(await outputOf(file, onPath.versionArguments));
    if (version !== undefined && satisfies(version, onPath.range))
      return { name, version, path: file, origin: "path" };
  }
  return undefined;
}

/** The first executable of that name in the folders of a PATH value; relative folders do not count. */
export async function findExecutable(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const file = join(folder, name);
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return file;
  }
  return undefined;
}

/** What the program prints; empty when it fails, since a program that cannot say its version does not fit. */
function outputOf(file: string, args: readonly string[]): Promise<string> {
  const options = {
    timeout: VERSION_TIMEOUT_MS,
    // pulumi looks for a newer release when it is asked for its version.
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  };
  return new Promise((resolve) => {
    execFile(file, [...args], options, (error, stdout) => resolve(error === null ? stdout : ""));
  });
}
