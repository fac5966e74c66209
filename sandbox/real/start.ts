import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { apiClient, readKeys } from "../cluster/api.ts";
import type { ApiClient } from "../cluster/api.ts";
import { writeKubeconfig } from "../cluster/kubeconfig.ts";
import { freePorts, isFree } from "../cluster/ports.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import type { ToolProgress } from "../toolchain/tools.ts";
import { API_PORT, CLUSTER_DOMAIN, DNS_SERVICE, NODE_NAME } from "./addresses.ts";
import { archiveMark, imageName } from "./archive.ts";
import { endCgroups } from "./cgroups.ts";
import { writeFiles } from "./files.ts";
import { logFile, pidFile } from "./layout.ts";
import type { RealLayout } from "./layout.ts";
import { placeDns } from "./manifests.ts";
import { rememberPrograms } from "./packages.ts";
import type { NodePrograms } from "./packages.ts";
import { holderPart, nodeParts, PART_NAMES } from "./parts.ts";
import type { InnerPart, NodeBinaries } from "./parts.ts";
import { makePki } from "./pki.ts";
import { allRun, HOLDER, partProcess, runInside, startPart, waitFor } from "./processes.ts";
import { writeProcessors } from "./processors.ts";
import { readRelays, relayNames, startRelay } from "./relays.ts";
import type { Relay } from "./relays.ts";

/** Images that no registry has: OCI archives. */
export interface NodeImages {
  readonly pause: string;
  readonly coredns: string;
}

/** What a node is made of. */
export interface NodeInput {
  readonly layout: RealLayout;
  readonly programs: NodePrograms;
  readonly binaries: NodeBinaries;
  readonly images: NodeImages;
  readonly report: (progress: ToolProgress) => void;
  readonly signal: AbortSignal | undefined;
}

/** A node that serves. */
export interface ServedNode {
  readonly server: string;
  readonly version: string;
}

const PHASE = "start real cluster";
const STEPS = 8;
/** Generous: a loaded machine with two processors takes four times as long as an idle one. */
const SECONDS = { namespaces: 30, containerd: 60, api: 180, node: 120, dns: 180 };
const WITHOUT_API: readonly InnerPart[] = ["etcd", "containerd", "kube-apiserver"];
const WITH_API: readonly InnerPart[] = [
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "load-balancer",
];

/** Starts what does not run, in the order in which the parts need each other, and waits until names resolve. */
export async function startNode(input: NodeInput): Promise<ServedNode> {
  const { layout, images } = input;
  const [pause, dns] = [await imageName(images.pause), await imageName(images.coredns)];
  await makeNamespaces(input, pause);
  tell(input, 2, "waiting for containerd and the API server");
  await startParts(input, WITHOUT_API);
  const port = await apiPort(layout);
  await startRelay(layout, input.programs, apiRelay(port), input.signal);
  const api = apiClient(`https://127.0.0.1:${port}`, await readKeys(layout.folder));
  try {
    await both(importImages(input), untilServed(input, api));
    await startWorkers(input, api);
    tell(input, 6, "waiting for the cluster's DNS");
    await placeDns(api, dns);
    await untilNamesResolve(input);
    return await finish(input, api);
  } finally {
    api.close();
  }
}

/** The parts that give up when the API server is not there come after it. */
async function startWorkers(input: NodeInput, api: ApiClient): Promise<void> {
  const { layout, programs, signal } = input;
  tell(input, 4, "starting the controllers");
  await startParts(input, WITH_API);
  for (const relay of await readRelays(layout)) await startRelay(layout, programs, relay, signal);
  tell(input, 5, "waiting for the node");
  await startParts(input, ["kubelet"]);
  await untilNodeReady(input, api);
}

async function finish(input: NodeInput, api: ApiClient): Promise<ServedNode> {
  const { layout } = input;
  const { server } = api;
  // Names resolve without some parts: a scheduler that has nothing to place is not missed.
  const relays = [apiRelay(0), ...(await readRelays(layout))].flatMap(relayNames);
  await allRun({ layout, what: "every part", needs: [...PART_NAMES, ...relays] });
  const keys = await readKeys(layout.folder);
  await writeKubeconfig(layout.kubeconfigFile, layout.name, { server, keys });
  tell(input, STEPS, server);
  return { server, version: (await serverVersion(api)) ?? "unknown" };
}

/** What the API server says it is. */
export async function serverVersion(api: ApiClient): Promise<string | undefined> {
  const answer = await api.get("/version");
  if (answer.status !== 200) return undefined;
  return (JSON.parse(answer.body) as { gitVersion?: string }).gitVersion;
}

/**
 * Namespaces that live are kept, with everything that runs in them. Without them nothing can be mended: what still runs
 * is ended and starts again in new ones, with the data of before.
 */
async function makeNamespaces(input: NodeInput, pause: string): Promise<void> {
  const { layout, programs, signal } = input;
  if (await namespacesLive(layout)) return writeFiles({ layout, programs, pause });
  tell(input, 0, "ending what an earlier run left");
  await endCgroups(layout.cgroup);
  for (const leftover of [layout.pids, layout.sockets, layout.readyFile])
    await rm(leftover, { recursive: true, force: true });
  tell(input, 1, "making namespaces");
  await writeFiles({ layout, programs, pause });
  await writeProcessors(join(layout.folder, "processors"));
  await rememberPrograms(layout.folder, programs);
  await makePki(layout);
  await startPart(layout, programs, holderPart(layout));
  const wait = { layout, what: "namespaces", needs: [HOLDER], seconds: SECONDS.namespaces, signal };
  await waitFor(wait, () => Promise.resolve(existsSync(layout.readyFile)));
}

/** Somebody may have removed files below a node that runs; without its keys it is of no use. */
async function namespacesLive(layout: RealLayout): Promise<boolean> {
  const furnished = existsSync(layout.readyFile) && existsSync(layout.pki);
  return furnished && (await partProcess(layout, HOLDER)) !== undefined;
}

async function startParts(
  { layout, programs, binaries }: NodeInput,
  names: readonly InnerPart[],
): Promise<void> {
  const parts = nodeParts(layout, binaries);
  for (const name of names) await startPart(layout, programs, parts[name]);
}

/** The port stays, since kubeconfigs name it; one that something else took meanwhile is given up. */
async function apiPort(layout: RealLayout): Promise<number> {
  const known = Number.parseInt(await readFile(layout.portFile, "utf8").catch(() => ""), 10);
  const [, outside = ""] = relayNames(apiRelay(known));
  const runs = (await partProcess(layout, outside)) !== undefined;
  if (Number.isInteger(known) && (runs || (await isFree(known)))) return known;
  const [port = 0] = await freePorts(1);
  await writeFile(layout.portFile, String(port));
  return port;
}

/** The one way into a node that is always there. */
export function apiRelay(port: number): Relay {
  return {
    name: "api",
    direction: "inwards",
    listen: `127.0.0.1:${port}`,
    to: `127.0.0.1:${API_PORT}`,
  };
}

/** Waits for both; when one fails the other is not left running. */
async function both(...work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work))
    if (result.status === "rejected") throw result.reason as Error;
}

async function untilServed(input: NodeInput, api: ApiClient): Promise<void> {
  const { layout, signal } = input;
  const needs = [HOLDER, ...relayNames(apiRelay(0)), "etcd", "kube-apiserver"];
  const wait = { layout, what: "API server", needs, seconds: SECONDS.api, signal };
  await waitFor(wait, async () => (await api.get("/readyz")).status === 200);
}

async function importImages(input: NodeInput): Promise<void> {
  const { layout, programs, images, signal } = input;
  const ctr = (...args: string[]) =>
    runInside(layout, programs, ["ctr", "--namespace", "k8s.io", ...args], signal);
  const needs = [HOLDER, "containerd"];
  const wait = { layout, what: "containerd", needs, seconds: SECONDS.containerd, signal };
  await waitFor(wait, async () => (await ctr("version")).code === 0);
  const marks = join(layout.folder, "containerd", "imported");
  await mkdir(marks, { recursive: true });
  for (const file of [images.pause, images.coredns].map((path) => resolve(path))) {
    const mark = join(marks, await archiveMark(file));
    if (existsSync(mark)) continue;
    const result = await ctr("images", "import", file);
    if (result.code !== 0) throw importError(layout, file, result.errorTail);
    await writeFile(mark, "");
  }
}

interface NodeObject {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime?: string;
    }[];
  };
}

/** Ready as said by the kubelet that runs now: after a stop the API server still has what the last one said. */
async function untilNodeReady({ layout, signal }: NodeInput, api: ApiClient): Promise<void> {
  const { mtimeMs } = await stat(pidFile(layout, "kubelet"));
  // Kubernetes writes times in whole seconds.
  const since = Math.floor(mtimeMs / 1000) * 1000;
  const needs = [HOLDER, "etcd", "containerd", "kube-apiserver", "kubelet"];
  const wait = { layout, what: "node Ready", needs, seconds: SECONDS.node, signal };
  await waitFor(wait, async () => {
    const answer = await api.get(`/api/v1/nodes/${NODE_NAME}`);
    if (answer.status !== 200) return false;
    const conditions = (JSON.parse(answer.body) as NodeObject).status?.conditions ?? [];
    const ready = conditions.find(({ type }) => type === "Ready");
    return ready?.status === "True" && Date.parse(ready.lastHeartbeatTime ?? "") >= since;
  });
}

async function untilNamesResolve({ layout, programs, signal }: NodeInput): Promise<void> {
  const needs = [HOLDER, ...WITHOUT_API, ...WITH_API, "kubelet"];
  const wait = { layout, what: "DNS of the cluster", needs, seconds: SECONDS.dns, signal };
  const program = join(import.meta.dirname, "ask-dns.ts");
  const name = `kubernetes.default.svc.${CLUSTER_DOMAIN}`;
  const argv = [process.execPath, program, DNS_SERVICE, name];
  await waitFor(wait, async () => (await runInside(layout, programs, argv, signal)).code === 0);
}

function tell(input: NodeInput, done: number, detail: string): void {
  input.report({ phase: PHASE, done, total: STEPS, detail });
}

function importError(layout: RealLayout, file: string, lines: readonly string[]) {
  return sandboxError({
    code: "sandbox-real-import",
    where: `ctr images import ${file}`,
    found: lines.at(-1) ?? "an exit code other than 0",
    allowed: "an OCI archive that containerd takes",
    fix: `read ${logFile(layout, "containerd")}, or make the archive again`,
  });
}
