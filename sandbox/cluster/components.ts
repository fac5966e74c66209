import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import {
  endProcess,
  findProcesses,
  forgetProcess,
  readProcess,
  startDetached,
} from "./processes.ts";
import { withoutProxies } from "./proxies.ts";
import type { DetachedProgram } from "./processes.ts";

/** Parts of the control plane, and the sandbox's own helper that starts deferred stages. */
export const COMPONENTS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok-controller",
  "stage-keeper",
] as const;

/** Name of one part of a cluster. */
export type ComponentName = (typeof COMPONENTS)[number];

/** One part of a cluster as it is now. */
export interface ComponentStatus {
  readonly name: ComponentName;
  readonly running: boolean;
  /** Process id, while it runs. */
  readonly pid?: number;
}

/** kwokctl's record of a component, `kwok.yaml` in the cluster's folder. */
interface RecordedComponent {
  readonly name: string;
  readonly binary: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly port: number }[];
}

/** What kwokctl has recorded about a cluster. */
export interface ClusterRecord {
  readonly components: readonly RecordedComponent[];
  readonly apiServerPort: number;
}

const END_MS = 5_000;

/** Reads kwokctl's record; nothing when there is none or it is not whole. */
export async function readRecord(clusterFolder: string): Promise<ClusterRecord | undefined> {
  const text = await readFile(join(clusterFolder, "kwok.yaml"), "utf8").catch(() => "");
  const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown);
  const found = documents.find(isConfiguration);
  const apiServerPort = found?.options?.kubeApiserverPort;
  if (found?.components === undefined || apiServerPort === undefined) return undefined;
  return { components: found.components, apiServerPort };
}

interface Configuration {
  readonly kind: "KwokctlConfiguration";
  readonly options?: { readonly kubeApiserverPort?: number };
  readonly components?: readonly RecordedComponent[];
}

function isConfiguration(document: unknown): document is Configuration {
  return (document as { kind?: string } | null)?.kind === "KwokctlConfiguration";
}

/** Every component with its process. */
export function componentStatuses(clusterFolder: string): Promise<ComponentStatus[]> {
  return Promise.all(
    COMPONENTS.map(async (name) => {
      const pid = await readProcess(pidFile(clusterFolder, name), clusterFolder);
      return pid === undefined ? { name, running: false } : { name, running: true, pid };
    }),
  );
}

/** Starts one component unless it runs. */
export async function startProcess(
  clusterFolder: string,
  name: ComponentName,
  record: ClusterRecord,
): Promise<void> {
  if ((await readProcess(pidFile(clusterFolder, name), clusterFolder)) !== undefined) return;
  await startDetached({
    ...commandOf(clusterFolder, name, record),
    cwd: clusterFolder,
    env: withoutProxies(process.env),
    logFile: join(clusterFolder, "logs", `${name}.log`),
    pidFile: pidFile(clusterFolder, name),
  });
}

/** Ends one component and waits until it is gone. */
export async function endComponent(
  clusterFolder: string,
  name: ComponentName,
  signal: NodeJS.Signals,
): Promise<void> {
  await endByPidFile(clusterFolder, pidFile(clusterFolder, name), signal);
}

/**
 * Kills everything of the cluster, the keeper first, since it starts what it misses. Not by pid files: somebody who
 * removes the state folder takes those away and leaves the processes.
 */
export async function endEverything(clusterFolder: string): Promise<void> {
  await endByPidFile(clusterFolder, pidFile(clusterFolder, "stage-keeper"), "SIGKILL");
  const running = await findProcesses(join(clusterFolder, "bin"));
  await Promise.all(running.map((pid) => endProcess(pid, "SIGKILL", END_MS)));
}

/** Ends the process that a pid file names, if it is ours (`marker` is in its arguments), and forgets it. */
export async function endByPidFile(
  marker: string,
  file: string,
  signal: NodeJS.Signals,
): Promise<void> {
  const pid = await readProcess(file, marker);
  if (pid !== undefined && !(await endProcess(pid, signal, END_MS))) {
    await endProcess(pid, "SIGKILL", END_MS);
  }
  await forgetProcess(file);
}

function commandOf(
  clusterFolder: string,
  name: ComponentName,
  record: ClusterRecord,
): Pick<DetachedProgram, "command" | "args"> {
  if (name === "stage-keeper") {
    const program = join(import.meta.dirname, "stage-keeper.ts");
    return { command: process.execPath, args: [program, clusterFolder] };
  }
  const found = record.components.find((component) => component.name === name);
  return { command: found?.binary ?? name, args: found?.args ?? [] };
}

function pidFile(clusterFolder: string, name: ComponentName): string {
  return join(clusterFolder, "pids", `${name}.pid`);
}
