import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Remote } from "../bundle/remote.ts";
import { PROJECT_ROOT } from "../config/project-root.ts";
import type { Settings } from "../config/schema.ts";
import type { Secret } from "../config/secret.ts";
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

/** Where a stack takes its charts from, and as whom. */
interface ChartAccess {
  readonly host: string;
  readonly credentials?: Credentials | undefined;
  readonly plainHttp: boolean;
  /** Path of a PEM file. */
  readonly caFile?: string | undefined;
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
  /** How the chart source of the stack is reached, which may be another host. */
  readonly charts?: ChartAccess | undefined;
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
  const ca = await trusted(options, context);
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

/** The CA that was named, or those of the stack file: its registry's and its chart source's. */
async function trusted(
  options: AccessOptions,
  { ca, charts }: AccessContext,
): Promise<string | undefined> {
  if (options.ca !== undefined) return (await readText(options.ca)) ?? "";
  const file = charts?.caFile;
  const other = file === undefined ? undefined : await readText(resolve(PROJECT_ROOT, file));
  const all = [ca, other].filter((text) => text !== undefined);
  return all.length === 0 ? undefined : all.join("\n");
}

function plainHosts(options: AccessOptions, { plainHttp, host, charts }: AccessContext): string[] {
  const registry = host !== undefined && (options.plainHttp ?? plainHttp) === true ? [host] : [];
  return [...registry, ...(charts?.plainHttp === true ? [charts.host] : [])];
}

function retryReport({ onRetry }: AccessContext): (failure: Error, wait: number) => void {
  return ({ message }, wait) => onRetry(`${message}; again in ${String(wait / 1000)} s`);
}

/** What a stack file says about its registry. */
export function stackAccess(
  settings: Settings,
): Pick<AccessContext, "host" | "ca" | "credentials" | "plainHttp" | "charts"> {
  const { registry } = settings;
  const charts = chartAccess(settings.charts);
  if (registry === undefined) return { charts };
  return {
    host: registry.host,
    ca: registry.ca,
    credentials: readable(registry.pullSecret),
    plainHttp: registry.plainHttp,
    charts,
  };
}

function chartAccess(charts: Settings["charts"]): ChartAccess | undefined {
  if (charts.source !== "oci" && charts.source !== "http") return undefined;
  const { username, password } = charts;
  return {
    host: /^\w+:\/\/([^/]+)/.exec(charts.url)?.[1] ?? "",
    plainHttp: charts.source === "oci" && charts.plainHttp,
    caFile: charts.caFile,
    credentials:
      username === undefined || password === undefined
        ? undefined
        : readable({ username, password }),
  };
}

/** Outside Pulumi a password of the stack file is encrypted, and then of no use. */
function readable(
  login: { readonly username: string; readonly password: Secret } | undefined,
): Credentials | undefined {
  if (login === undefined) return undefined;
  try {
    return { username: login.username, password: login.password.reveal() };
  } catch {
    return undefined;
  }
}

function credentialsFor(context: AccessContext, logins: CredentialsOf): CredentialsOf {
  const username = process.env["KSERVE_REGISTRY_USERNAME"] ?? "";
  const password = process.env["KSERVE_REGISTRY_PASSWORD"] ?? "";
  const given = username === "" ? undefined : { username, password };
  const { charts } = context;
  const ofCharts = (host: string): Credentials | undefined =>
    host === charts?.host ? charts.credentials : undefined;
  return (host) =>
    host === context.host
      ? (given ?? context.credentials ?? ofCharts(host) ?? logins(host))
      : (ofCharts(host) ?? logins(host));
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
