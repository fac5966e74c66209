import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Remote } from "../bundle/remote.ts";
import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import { readAuthFile } from "../registry/credentials.ts";
import type { Credentials, CredentialsOf } from "../registry/credentials.ts";
import { PATIENT } from "../registry/retry.ts";

/** Options that say how registries are reached. */
export interface AccessOptions {
  readonly authfile?: string;
  readonly ca?: string;
  readonly plainHttp?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** What {@link openRemote} is told besides the options. */
export interface AccessContext {
  /** Host that KSERVE_REGISTRY_USERNAME and KSERVE_REGISTRY_PASSWORD are for. */
  readonly host?: string | undefined;
  /** CA of the stack file. */
  readonly ca?: string | undefined;
  /** Credentials of the stack file, where they can be read. */
  readonly credentials?: Credentials | undefined;
  /** Registry through which upstream is reached. */
  readonly via?: string | undefined;
  readonly plainHttp?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onRetry: (text: string) => void;
}

/**
 * The way out, or why there is none. Credentials come from the environment, then from the stack, then from the file
 * that `docker login` and its kin write; never from the command line, where every process could read them.
 */
export async function openRemote(
  options: AccessOptions,
  context: AccessContext,
): Promise<{ readonly remote: Remote } | { readonly problem: Problem }> {
  const ca = options.ca === undefined ? context.ca : await readText(options.ca);
  if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----"))
    return { problem: unreadable("--ca", options.ca ?? "", "a PEM certificate") };
  const logins = await authFile(options.authfile);
  if (logins === undefined)
    return {
      problem: unreadable("--authfile", options.authfile ?? "", "a file that `docker login` wrote"),
    };
  const { via, signal } = context;
  const remote = new Remote({
    via,
    ca,
    plainHttp: plainHosts(options, context),
    credentials: credentialsFor(context, logins),
    timeout: options.timeout * 1000,
    retry: { ...PATIENT, onRetry: retryReport(context), signal },
    proxyEnv: process.env,
    signal,
  });
  return { remote };
}

function plainHosts(options: AccessOptions, { plainHttp, host }: AccessContext): string[] {
  return host !== undefined && (options.plainHttp ?? plainHttp) === true ? [host] : [];
}

function retryReport({ onRetry }: AccessContext): (failure: Error, wait: number) => void {
  return ({ message }, wait) => onRetry(`${message}; again in ${String(wait / 1000)} s`);
}

/** What a stack file says about its registry. */
export function stackAccess(
  settings: Settings,
): Pick<AccessContext, "host" | "ca" | "credentials" | "plainHttp"> {
  const { registry } = settings;
  if (registry === undefined) return {};
  return {
    host: registry.host,
    ca: registry.ca,
    credentials: readable(registry.pullSecret),
    plainHttp: (registry as { plainHttp?: boolean }).plainHttp,
  };
}

/** Outside Pulumi a password of the stack file is encrypted, and then of no use. */
function readable(
  pullSecret: NonNullable<Settings["registry"]>["pullSecret"],
): Credentials | undefined {
  if (pullSecret === undefined) return undefined;
  try {
    return { username: pullSecret.username, password: pullSecret.password.reveal() };
  } catch {
    return undefined;
  }
}

function credentialsFor(context: AccessContext, logins: CredentialsOf): CredentialsOf {
  const username = process.env["KSERVE_REGISTRY_USERNAME"] ?? "";
  const password = process.env["KSERVE_REGISTRY_PASSWORD"] ?? "";
  const given = username === "" ? undefined : { username, password };
  return (host) =>
    host === context.host ? (given ?? context.credentials ?? logins(host)) : logins(host);
}

/** The file that was named, or the first of the usual ones; none of those need exist. */
async function authFile(named: string | undefined): Promise<CredentialsOf | undefined> {
  const chosen = named ?? process.env["REGISTRY_AUTH_FILE"];
  if (chosen !== undefined) {
    const text = await readText(chosen);
    return text === undefined ? undefined : readAuthFile(text);
  }
  const folders = [process.env["XDG_RUNTIME_DIR"], process.env["DOCKER_CONFIG"]];
  const usual = [
    ...(folders[0] === undefined ? [] : [join(folders[0], "containers", "auth.json")]),
    join(folders[1] ?? join(homedir(), ".docker"), "config.json"),
  ];
  const texts = await Promise.all(usual.map(readText));
  const found = texts.flatMap((text) => (text === undefined ? [] : (readAuthFile(text) ?? [])));
  return (host) => found.map((of) => of(host)).find((item) => item !== undefined);
}

function readText(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined);
}

function unreadable(where: string, file: string, allowed: string): Problem {
  return {
    code: "bundle-option-file",
    level: "block",
    where,
    found: `${file} is none, or cannot be read`,
    allowed,
    fix: `check ${where}`,
  };
}
