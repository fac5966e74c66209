import { homedir } from "node:os";
import { join } from "node:path";
import { sandboxError } from "./toolchain/sandbox-error.ts";

/** The environment as the process sees it; a parameter so that tests can give their own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A sandbox's name becomes a folder, a kubeconfig context and a part of process arguments. */
const SANDBOX_NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** Folder of what is fetched or built once and shared by all sandboxes: tools, locks, unfinished work. */
export function cacheFolder(env: Environment = process.env): string {
  return (
    given(env["KSERVE_PLATFORM_CACHE"]) ??
    join(given(env["XDG_CACHE_HOME"]) ?? join(homedir(), ".cache"), "kserve-platform")
  );
}

/** Folder that holds one folder for each sandbox. */
export function stateRoot(env: Environment = process.env): string {
  return (
    given(env["KSERVE_PLATFORM_STATE"]) ??
    join(given(env["XDG_STATE_HOME"]) ?? join(homedir(), ".local", "state"), "kserve-platform")
  );
}

/** Folder of one sandbox: cluster data, logs, kubeconfig. Throws on a name that cannot be a folder. */
export function stateFolder(name: string, env: Environment = process.env): string {
  if (!SANDBOX_NAME.test(name)) {
    throw sandboxError({
      code: "sandbox-name-invalid",
      where: "sandbox name",
      found: `"${name}"`,
      allowed: "lower case letters, digits and hyphens, at most 40 characters",
      fix: 'choose a name such as "default" or "team-a"',
    });
  }
  return join(stateRoot(env), name);
}

/** An environment variable that is set but empty counts as not set (XDG base directory specification). */
function given(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
