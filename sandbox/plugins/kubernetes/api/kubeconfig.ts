import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, delimiter } from "node:path";
import { parse } from "yaml";
import { at, listAt, textAt } from "../object.ts";
import { isObject } from "../value.ts";
import type { Json, JsonObject } from "../value.ts";

/** How to reach an API server. */
export interface Credentials {
  /** Such as `https://127.0.0.1:6443`. */
  readonly server: string;
  readonly token?: string;
  readonly tls: {
    readonly ca?: string | Buffer;
    readonly cert?: string | Buffer;
    readonly key?: string | Buffer;
    readonly rejectUnauthorized?: boolean;
  };
}

/** Which of a kubeconfig's entries to use; the kubeconfig's own choice where a field is absent. */
export interface Selection {
  readonly context?: string;
  readonly cluster?: string;
}

/** Addresses that cannot leave this machine. */
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** Reads a kubeconfig given as a path or as its content; without either, the one that kubectl would take. */
export function readKubeconfig(pathOrContent: string): JsonObject {
  const path = pathOrContent === "" ? defaultPath() : expandHome(pathOrContent);
  const isPath = path.length < 4096 && !path.includes("\n") && existsSync(path);
  const content: unknown = parse(isPath ? readFileSync(path, "utf8") : path);
  return isObject(content as Json) ? (content as JsonObject) : {};
}

/** The entry of the cluster in use, undefined when the kubeconfig names none. */
export function activeCluster(config: JsonObject, selection: Selection): JsonObject | undefined {
  const context = contextOf(config, selection);
  const name = selection.cluster ?? textAt(context, "cluster");
  return entry(config, "clusters", name);
}

/** The context in use. */
export function contextOf(config: JsonObject, selection: Selection): JsonObject | undefined {
  return entry(config, "contexts", selection.context ?? textAt(config, "current-context"));
}

/** Credentials for the cluster in use. Throws what is wrong with the kubeconfig. */
export function credentialsOf(config: JsonObject, selection: Selection): Credentials {
  const context = contextOf(config, selection);
  const cluster = activeCluster(config, selection);
  const server = textAt(cluster, "server");
  if (cluster === undefined || server === "") {
    const wanted = selection.context ?? (textAt(config, "current-context") || "(none)");
    throw new Error(
      `unable to load Kubernetes client configuration: context "${wanted}" names no cluster`,
    );
  }
  const user = entry(config, "users", textAt(context, "user"));
  const token = textAt(user, "token");
  return { server, tls: tlsOf(cluster, user), ...(token === "" ? {} : { token }) };
}

/** Throws unless the server is on this machine: the stand-in must never touch a cluster that matters. */
export function requireLoopback(server: string): void {
  if (LOOPBACK.test(new URL(server).hostname)) return;
  throw new Error(
    `the sandbox's stand-in for the kubernetes provider serves API servers on loopback only, found ${server}. ` +
      `Install the official plugin for any other: pulumi plugin install resource kubernetes 4.34.2`,
  );
}

function tlsOf(cluster: JsonObject, user: JsonObject | undefined): Credentials["tls"] {
  const ca = material(cluster, "certificate-authority");
  const cert = material(user, "client-certificate");
  const key = material(user, "client-key");
  const insecure = at(cluster, "insecure-skip-tls-verify") === true;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(insecure ? { rejectUnauthorized: false } : {}),
  };
}

function material(holder: JsonObject | undefined, key: string): Buffer | undefined {
  const data = textAt(holder, `${key}-data`);
  if (data !== "") return Buffer.from(data, "base64");
  const file = textAt(holder, key);
  return file === "" ? undefined : readFileSync(file);
}

function entry(
  config: JsonObject,
  list: "clusters" | "contexts" | "users",
  name: string,
): JsonObject | undefined {
  const found = listAt(config, list).find((item) => textAt(item, "name") === name);
  const value = at(found, list.slice(0, -1));
  return isObject(value) ? value : undefined;
}

function defaultPath(): string {
  const [first = ""] = (process.env["KUBECONFIG"] ?? "").split(delimiter);
  return first === "" ? join(homedir(), ".kube", "config") : first;
}

function expandHome(path: string): string {
  if (path === "~") return homedir();
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}
