import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { apiClient, readKeys } from "../cluster/api.ts";
import type { Cluster, ClusterOptions } from "../cluster/index.ts";
import { clusterLayout } from "../cluster/layout.ts";
import { countReadyNodes } from "../cluster/nodes.ts";
import { freePorts, isFree } from "../cluster/ports.ts";
import { cacheFolder } from "../paths.ts";
import { withLock } from "../toolchain/lock.ts";
import { run } from "../toolchain/run.ts";
import type { RunResult } from "../toolchain/run.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import type { ToolProgress } from "../toolchain/tools.ts";
import { endCgroups } from "./cgroups.ts";
import { realLayout } from "./layout.ts";
import type { RealLayout } from "./layout.ts";
import { knownPrograms, nodePrograms } from "./packages.ts";
import type { NodePrograms } from "./packages.ts";
import { PART_NAMES } from "./parts.ts";
import type { NodeBinaries, PartName } from "./parts.ts";
import { missingForReal, unavailable } from "./preconditions.ts";
import { endPart, HOLDER, partProcess, runInside } from "./processes.ts";
import { readRelays, relayNames, rememberRelay, startRelay } from "./relays.ts";
import type { Relay } from "./relays.ts";
import { apiRelay, serverVersion, startNode } from "./start.ts";
import type { NodeImages } from "./start.ts";

export { missingForReal, unavailable } from "./preconditions.ts";
export type { Missing } from "./preconditions.ts";
export { NODE_BINARIES, PART_NAMES } from "./parts.ts";
export type { NodeBinaries, PartName } from "./parts.ts";
export type { NodeImages } from "./start.ts";

/** What starting a cluster with a real node needs. */
export interface StartRealOptions extends ClusterOptions {
  readonly binaries: NodeBinaries;
  readonly images: NodeImages;
  readonly report?: (progress: ToolProgress) => void;
  /** @default the cache folder of this user, see `cacheFolder` */
  readonly cache?: string;
}

/** How a cluster with a real node is ended. */
export interface StopRealOptions extends ClusterOptions {
  /**
   * True to end the processes only: objects, images and volumes are there again after the next start.
   *
   * @default false
   */
  readonly keepData?: boolean;
}

/** One part of a cluster as it is now. */
export interface RealPartStatus {
  readonly name: string;
  readonly running: boolean;
  /** Process id, while it runs. */
  readonly pid?: number;
}

/** A cluster with a real node as it is now. */
export interface RealStatus {
  /** `degraded`: some parts run and others do not, or the API server does not answer. */
  readonly state: "running" | "stopped" | "absent" | "degraded";
  readonly components: readonly RealPartStatus[];
  readonly kubeconfig?: string;
  readonly server?: string;
  readonly version?: string;
  readonly readyNodes?: number;
  readonly logs?: string;
}

/**
 * Gives a running cluster of that name with a real node: makes it, starts it, or repairs it, whatever is needed. What
 * runs is left alone, and its objects are kept.
 */
export async function startRealCluster(options: StartRealOptions): Promise<Cluster> {
  const { name, signal, binaries, images } = options;
  const layout = realLayout(name);
  const report = options.report ?? (() => undefined);
  await mkdir(layout.root, { recursive: true });
  return locked(layout, options, async () => {
    if (existsSync(clusterLayout(name).completeFile)) throw simulatedError(name);
    const missing = await missingForReal();
    if (missing.length > 0) throw unavailable(missing);
    const cache = options.cache ?? cacheFolder();
    const programs = await nodePrograms({ cache, report, signal });
    const served = await startNode({ layout, programs, binaries, images, report, signal });
    return { name, kubeconfig: layout.kubeconfigFile, ...served };
  });
}

/**
 * Ends everything that runs in the node and removes its data: processes, namespaces, control groups, files. Fine when it
 * is not there, or only in part.
 */
export async function stopRealCluster(options: StopRealOptions): Promise<void> {
  if (process.platform !== "linux") return;
  const layout = realLayout(options.name);
  // Processes may live although their folder was removed by hand.
  if (!existsSync(layout.folder)) return endCgroups(layout.cgroup);
  await locked(layout, options, async () => {
    // The kubelet first: it starts what it misses.
    await endPart(layout, "kubelet");
    await endCgroups(layout.cgroup);
    for (const leftover of [layout.pids, layout.sockets, layout.readyFile])
      await rm(leftover, { recursive: true, force: true });
    if (options.keepData !== true) await removeFolder(layout);
  });
  // The state folder has other tenants (stacks, charts); an empty one is nobody's.
  if ((await readdir(layout.root)).length === 0) await rmdir(layout.root);
}

/** Looks at the processes and asks the API server; changes nothing. */
export async function realClusterStatus({ name }: ClusterOptions): Promise<RealStatus> {
  const layout = realLayout(name);
  const components = await partStatuses(layout);
  const running = components.filter((part) => part.running).length;
  if (!existsSync(layout.folder)) return { state: "absent", components: [] };
  const { logs } = layout;
  if (running === 0) return { state: "stopped", components, logs };
  const seen = await look(layout);
  const whole = running === components.length && seen !== undefined;
  return { state: whole ? "running" : "degraded", components, logs, ...seen };
}

/** Runs a program in the node's namespaces: it sees the addresses of pods, Services and load balancers. */
export async function execInNode(
  { name, signal }: ClusterOptions,
  argv: readonly string[],
): Promise<RunResult> {
  const layout = realLayout(name);
  return runInside(layout, await programsOf(layout), argv, signal);
}

/** What is made reachable from outside. */
export interface ForwardOptions extends ClusterOptions {
  /** An address inside, `<address>:<port>`. */
  readonly to: string;
}

/** Opens a port on this machine's loopback that leads to an address inside; asked again it gives the same one. */
export async function forwardPort(options: ForwardOptions): Promise<number> {
  const { to, signal } = options;
  const layout = realLayout(options.name);
  return locked(layout, options, async () => {
    const programs = await programsOf(layout);
    const relay = await forwardRelay(layout, to);
    await startRelay(layout, programs, relay, signal);
    await rememberRelay(layout, relay);
    return portOf(relay);
  });
}

/** A registry on this machine's loopback that the node shall reach under the same address. */
export interface ShareRegistryOptions extends ClusterOptions {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** PEM file of the CA that signed the registry's certificate. */
  readonly caFile: string;
}

/** Lets the node pull from a registry; pods still need a pull secret where the registry wants a login. */
export async function shareRegistry(options: ShareRegistryOptions): Promise<void> {
  const { host, caFile, signal } = options;
  const layout = realLayout(options.name);
  await locked(layout, options, async () => {
    const programs = await programsOf(layout);
    const folder = join(layout.folder, "certs.d", host);
    const ca = join(folder, "ca.pem");
    await mkdir(folder, { recursive: true });
    await copyFile(caFile, ca);
    await writeFile(join(folder, "hosts.toml"), registryHosts(host, ca));
    const name = `registry-${host.split(":")[1] ?? ""}`;
    const relay = { name, direction: "outwards", listen: host, to: host } as const;
    await startRelay(layout, programs, relay, signal);
    await rememberRelay(layout, relay);
  });
}

/** Kills one part at once, as a crash would. */
export async function killRealPart(
  options: ClusterOptions & { readonly part: PartName },
): Promise<void> {
  await endPart(realLayout(options.name), options.part);
}

function locked<T>(
  layout: RealLayout,
  options: ClusterOptions & { readonly report?: (progress: ToolProgress) => void },
  work: () => Promise<T>,
): Promise<T> {
  const onWait = (holder: number) =>
    options.report?.({
      phase: "wait",
      done: 0,
      total: 0,
      detail: `process ${holder} is working on this sandbox`,
    });
  return withLock(layout.lockFile, { onWait, signal: options.signal }, work);
}

/** Not by Node's own rm: images are tens of thousands of files. */
async function removeFolder({ folder }: RealLayout): Promise<void> {
  await run("rm", ["-rf", "--one-file-system", "--", folder], {});
  await rm(folder, { recursive: true, force: true });
}

async function partStatuses(layout: RealLayout): Promise<RealPartStatus[]> {
  const relays = [apiRelay(0), ...(await readRelays(layout))].flatMap(relayNames);
  const looks = [...PART_NAMES, ...relays].map(async (name) => {
    const pid = await partProcess(layout, name);
    return pid === undefined ? { name, running: false } : { name, running: true, pid };
  });
  return Promise.all(looks);
}

async function look(layout: RealLayout) {
  const port = await readFile(layout.portFile, "utf8").catch(() => undefined);
  const keys = await readKeys(layout.folder).catch(() => undefined);
  if (port === undefined || keys === undefined) return undefined;
  const api = apiClient(`https://127.0.0.1:${port}`, keys);
  try {
    const ready = (await api.get("/readyz")).status === 200;
    const version = ready ? await serverVersion(api) : undefined;
    if (version === undefined) return undefined;
    const readyNodes = await countReadyNodes(api);
    return { kubeconfig: layout.kubeconfigFile, server: api.server, version, readyNodes };
  } finally {
    api.close();
  }
}

async function programsOf(layout: RealLayout): Promise<NodePrograms> {
  const programs = await knownPrograms(layout.folder);
  if (programs !== undefined && (await partProcess(layout, HOLDER)) !== undefined) return programs;
  throw sandboxError({
    code: "sandbox-real-absent",
    where: `sandbox ${layout.name}`,
    found: "no real node that runs",
    allowed: "a node that was started before",
    fix: "start the sandbox first",
  });
}

async function forwardRelay(layout: RealLayout, to: string): Promise<Relay> {
  const known = (await readRelays(layout)).find(
    (relay) => relay.direction === "inwards" && relay.to === to,
  );
  if (known !== undefined && (await usable(layout, known))) return known;
  const [port = 0] = await freePorts(1);
  return { name: `forward-${port}`, direction: "inwards", listen: `127.0.0.1:${port}`, to };
}

async function usable(layout: RealLayout, relay: Relay): Promise<boolean> {
  const [, outside = ""] = relayNames(relay);
  return (await partProcess(layout, outside)) !== undefined || isFree(portOf(relay));
}

function portOf({ listen }: Relay): number {
  return Number(listen.split(":")[1]);
}

/**
 * Keys: containerd@v1.6.20:docs/hosts.md. The CA is the server's own and not that of a `[host]` table: after a 404 from
 * such a host the server is asked as well, without its CA, and a missing image would be reported as a certificate that
 * nobody trusts (containerd@v1.6.20:remotes/docker/config/hosts.go, parseHostsFile; remotes/docker/resolver.go).
 */
function registryHosts(host: string, ca: string): string {
  return `server = ${JSON.stringify(`https://${host}`)}\nca = ${JSON.stringify(ca)}\n`;
}

function simulatedError(name: string) {
  return sandboxError({
    code: "sandbox-real-simulated",
    where: `sandbox ${name}`,
    found: "a cluster with simulated nodes of that name",
    allowed: "one cluster under a name",
    fix: `take it down first (platform sandbox down --name ${name}), or choose another name with --name`,
  });
}
