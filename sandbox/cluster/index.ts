import { existsSync } from "node:fs";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../toolchain/lock.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { apiClient, readKeys } from "./api.ts";
import {
  COMPONENTS,
  componentStatuses,
  endComponent,
  readRecord,
  startProcess,
} from "./components.ts";
import { createCluster, removeCluster } from "./create.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { clusterLayout } from "./layout.ts";
import { countReadyNodes, createNodes, NODE_COUNT } from "./nodes.ts";
import type { ClusterToolName, Tool, ToolProgress } from "../toolchain/tools.ts";
import type { ApiClient } from "./api.ts";
import type { ClusterRecord, ComponentName, ComponentStatus } from "./components.ts";
import type { ClusterLayout } from "./layout.ts";

export { simulatedKinds } from "./stages.ts";
export type { ComponentName, ComponentStatus } from "./components.ts";

/** A cluster that serves. */
export interface Cluster {
  readonly name: string;
  /** Path of a self-contained kubeconfig. */
  readonly kubeconfig: string;
  /** Address of the API server, on loopback. */
  readonly server: string;
  /** What the API server says it is, such as `v1.34.3`. */
  readonly version: string;
}

/** Names a sandbox. */
export interface ClusterOptions {
  readonly name: string;
  readonly signal?: AbortSignal;
}

/** What starting a cluster needs. */
export interface StartClusterOptions extends ClusterOptions {
  readonly tools: Readonly<Record<ClusterToolName, Tool>>;
  readonly report?: (progress: ToolProgress) => void;
}

/** One part of a cluster, for tests of faults. */
export interface ComponentOptions extends ClusterOptions {
  readonly component: ComponentName;
}

/** A cluster as it is now. */
export interface ClusterStatus {
  /** `degraded`: some parts run and others do not, or the API server does not answer. */
  readonly state: "running" | "stopped" | "absent" | "degraded";
  readonly components: readonly ComponentStatus[];
  readonly kubeconfig?: string;
  readonly server?: string;
  readonly version?: string;
  readonly readyNodes?: number;
  readonly logs?: string;
}

const PHASE = "start cluster";
const POLL_MS = 50;
const SERVER_PARTS: readonly ComponentName[] = ["etcd", "kube-apiserver"];
/** A loaded machine takes its time; an API server normally serves within two seconds. */
const SERVE_TIMEOUT_MS = 90_000;

/**
 * Gives a running cluster of that name: makes it, starts it, or repairs it, whatever is needed. A cluster whose
 * making was interrupted is made anew; one that is whole keeps its objects.
 */
export async function startCluster(options: StartClusterOptions): Promise<Cluster> {
  const layout = clusterLayout(options.name);
  await mkdir(layout.root, { recursive: true });
  const onWait = (holder: number) =>
    tell(options, 0, `process ${holder} is working on this sandbox, waiting`);
  return withLock(layout.lockFile, { onWait, signal: options.signal }, async () => {
    if (
      !existsSync(layout.completeFile) ||
      (await readRecord(layout.clusterFolder)) === undefined
    ) {
      tell(options, 0, "making the control plane");
      await createCluster(layout, options.tools, options.signal);
    }
    return serve(layout, options);
  });
}

/** Ends the cluster's processes and removes its data. Fine when it is not there. */
export async function stopCluster(options: ClusterOptions): Promise<void> {
  const layout = clusterLayout(options.name);
  // Processes may live although their folder was removed by hand.
  if (!existsSync(layout.root)) return removeCluster(layout);
  await withLock(layout.lockFile, { signal: options.signal }, () => removeCluster(layout));
  // The state folder has other tenants (stacks, charts); an empty one is nobody's.
  if ((await readdir(layout.root)).length === 0) await rmdir(layout.root);
}

/** Looks at the processes and asks the API server; changes nothing. */
export async function clusterStatus(options: ClusterOptions): Promise<ClusterStatus> {
  const layout = clusterLayout(options.name);
  const components = await componentStatuses(layout.clusterFolder);
  const running = components.filter((component) => component.running).length;
  const record = await readRecord(layout.clusterFolder);
  if (record === undefined && running === 0) return { state: "absent", components };
  const logs = join(layout.clusterFolder, "logs");
  if (running === 0) return { state: "stopped", components, logs };
  const seen = record === undefined ? undefined : await look(layout, record);
  const whole = running === COMPONENTS.length && seen !== undefined;
  return { state: whole ? "running" : "degraded", components, logs, ...seen };
}

/** Kills one part at once, as a crash would. */
export async function stopComponent(options: ComponentOptions): Promise<void> {
  await endComponent(clusterLayout(options.name).clusterFolder, options.component, "SIGKILL");
}

/** Starts one part again; for the API server it waits until it serves. */
export async function startComponent(options: ComponentOptions): Promise<void> {
  const layout = clusterLayout(options.name);
  const record = await readRecord(layout.clusterFolder);
  if (record === undefined) throw absentError(options.name);
  await startProcess(layout.clusterFolder, options.component, record);
  if (options.component !== "kube-apiserver") return;
  const wait = { layout, needed: SERVER_PARTS, signal: options.signal };
  await withApi(layout, record, (api) => until(() => isReady(api), wait));
}

async function serve(layout: ClusterLayout, options: StartClusterOptions): Promise<Cluster> {
  const record = await readRecord(layout.clusterFolder);
  if (record === undefined) throw absentError(options.name);
  return withApi(layout, record, async (api) => {
    tell(options, 1, "waiting for the API server");
    await startInOrder(layout, record, api, options.signal);
    tell(options, 2, "waiting for the simulated nodes");
    if ((await countReadyNodes(api)) < NODE_COUNT) await createNodes(api);
    const nodesReady = async () => (await countReadyNodes(api)) >= NODE_COUNT;
    await until(nodesReady, { layout, needed: COMPONENTS, signal: options.signal });
    const keys = await readKeys(layout.clusterFolder);
    await writeKubeconfig(layout.kubeconfigFile, options.name, { server: api.server, keys });
    tell(options, 3, api.server);
    const version = (await serverVersion(api)) ?? "unknown";
    return { name: options.name, kubeconfig: layout.kubeconfigFile, server: api.server, version };
  });
}

/** The parts other than etcd and the API server give up when the API server is not there, so they come after it. */
async function startInOrder(
  layout: ClusterLayout,
  record: ClusterRecord,
  api: ApiClient,
  signal?: AbortSignal,
): Promise<void> {
  const folder = layout.clusterFolder;
  for (const name of SERVER_PARTS) await startProcess(folder, name, record);
  await until(() => isReady(api), { layout, needed: SERVER_PARTS, signal });
  for (const name of COMPONENTS) await startProcess(folder, name, record);
}

async function look(layout: ClusterLayout, record: ClusterRecord) {
  return withApi(layout, record, async (api) => {
    const version = (await isReady(api)) ? await serverVersion(api) : undefined;
    if (version === undefined) return undefined;
    const readyNodes = await countReadyNodes(api);
    return { kubeconfig: layout.kubeconfigFile, server: api.server, version, readyNodes };
  });
}

async function withApi<T>(
  layout: ClusterLayout,
  record: ClusterRecord,
  work: (api: ApiClient) => Promise<T>,
): Promise<T> {
  const server = `https://127.0.0.1:${record.apiServerPort}`;
  const api = apiClient(server, await readKeys(layout.clusterFolder));
  try {
    return await work(api);
  } finally {
    api.close();
  }
}

async function isReady(api: ApiClient): Promise<boolean> {
  return (await api.get("/readyz")).status === 200;
}

async function serverVersion(api: ApiClient): Promise<string | undefined> {
  const answer = await api.get("/version");
  if (answer.status !== 200) return undefined;
  return (JSON.parse(answer.body) as { gitVersion?: string }).gitVersion;
}

interface Wait {
  readonly layout: ClusterLayout;
  /** Parts without which waiting is in vain. */
  readonly needed: readonly ComponentName[];
  readonly signal: AbortSignal | undefined;
}

/** Waits for `reached`; a part that has died meanwhile ends the wait, since it will not come back by itself. */
async function until(
  reached: () => Promise<boolean>,
  { layout, needed, signal }: Wait,
): Promise<void> {
  const deadline = Date.now() + SERVE_TIMEOUT_MS;
  while (!(await reached())) {
    signal?.throwIfAborted();
    const statuses = await componentStatuses(layout.clusterFolder);
    const dead = statuses.filter(({ name, running }) => needed.includes(name) && !running);
    if (dead.length > 0 || Date.now() > deadline) throw startError(layout, dead);
    await sleep(POLL_MS);
  }
}

function tell(options: StartClusterOptions, done: number, detail: string): void {
  options.report?.({ phase: PHASE, done, total: 3, detail });
}

function startError(layout: ClusterLayout, dead: readonly ComponentStatus[]) {
  const names = dead.map(({ name }) => name).join(", ");
  return sandboxError({
    code: "sandbox-cluster-start",
    where: `sandbox ${layout.name}`,
    found: dead.length > 0 ? `${names} ended while starting` : "the cluster is not ready in time",
    allowed: `a cluster that serves within ${SERVE_TIMEOUT_MS / 1000} seconds`,
    fix: `read the logs in ${join(layout.clusterFolder, "logs")}; a port that something else took shows there`,
  });
}

function absentError(name: string) {
  return sandboxError({
    code: "sandbox-cluster-absent",
    where: `sandbox ${name}`,
    found: "no cluster",
    allowed: "a cluster that was started before",
    fix: "start the sandbox first",
  });
}
