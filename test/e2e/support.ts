import { join } from "node:path";
import {
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
} from "@kubernetes/client-node";
import type { KubernetesObject } from "@kubernetes/client-node";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { openSession, openStack, operate } from "../../sandbox/session/session.ts";
import type { Session } from "../../sandbox/session/session.ts";
import type { PulumiResult } from "../../sandbox/session/pulumi.ts";

export const ROOT = join(import.meta.dirname, "..", "..");

/** Opens a fresh sandbox of that name; whatever an earlier run left is removed first. */
export async function freshSession(name: string): Promise<Session> {
  await stopCluster({ name });
  const { stateFolder } = await import("../../sandbox/paths.ts");
  const { rm } = await import("node:fs/promises");
  await rm(stateFolder(name), { recursive: true, force: true });
  const charts = process.env["PLATFORM_CHARTS"];
  return openSession({
    name,
    report: () => undefined,
    ...(charts === undefined ? {} : { charts }),
  });
}

/** Writes the stack `e2e` from a stack file of this repository, with further keys. */
export async function useStack(
  session: Session,
  file: string,
  config: Record<string, unknown> = {},
): Promise<void> {
  await openStack(session, { name: "e2e", file: join(ROOT, file) }, config);
}

/** Runs an operation on the stack `e2e`; on failure the output is part of the assertion's message. */
export async function run(
  session: Session,
  command: "up" | "preview" | "destroy" | "refresh",
  ...args: string[]
): Promise<PulumiResult> {
  const started = performance.now();
  const result = await operate(session, { command, stack: "e2e", args });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(
    `  pulumi ${[command, ...args].join(" ")}: exit ${String(result.code)} after ${seconds} s\n`,
  );
  if (result.code !== 0) process.stdout.write(`${result.output.slice(-4000)}\n`);
  return result;
}

/** Clients for the sandbox's API server. */
export function clients(session: Session): {
  objects: KubernetesObjectApi;
  crds: ApiextensionsV1Api;
  core: CoreV1Api;
  custom: CustomObjectsApi;
} {
  const config = new KubeConfig();
  config.loadFromFile(session.cluster.kubeconfig);
  return {
    objects: KubernetesObjectApi.makeApiClient(config),
    crds: config.makeApiClient(ApiextensionsV1Api),
    core: config.makeApiClient(CoreV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}

/** Names of all CRDs on the cluster, sorted. */
export async function crdNames(session: Session): Promise<string[]> {
  const { items } = await clients(session).crds.listCustomResourceDefinition();
  return items.map((item) => item.metadata?.name ?? "").sort();
}

/** Names of all namespaces but the cluster's own, sorted. */
export async function namespaceNames(session: Session): Promise<string[]> {
  const { items } = await clients(session).core.listNamespace();
  const own = /^(default|kube-.*)$/;
  return items
    .map((item) => item.metadata?.name ?? "")
    .filter((name) => !own.test(name))
    .sort();
}

/** Names of the cluster-scoped objects of a kind, sorted. */
export async function clusterObjectNames(
  session: Session,
  apiVersion: string,
  kind: string,
): Promise<string[]> {
  const list = await clients(session).objects.list<KubernetesObject>(apiVersion, kind);
  return list.items.map((item) => item.metadata?.name ?? "").sort();
}
