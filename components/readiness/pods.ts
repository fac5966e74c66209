import type { Cluster } from "./part.ts";
import { readList, readObject } from "./read.ts";
import type { SeenWorkload, Workload } from "./workloads.ts";

interface Waiting {
  readonly reason?: string;
  readonly message?: string;
}

interface Terminated {
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: Waiting };
  readonly lastState?: { readonly terminated?: Terminated };
}

export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: { readonly imagePullSecrets?: readonly { readonly name?: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface KubeEvent {
  readonly reason?: string;
  readonly message?: string;
  readonly involvedObject?: { readonly uid?: string; readonly name?: string };
}

interface ReplicaSet {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Set by the Deployment's controller on itself and on each ReplicaSet (kubernetes/kubernetes@v1.34.3:pkg/controller/deployment/util/deployment_util.go). */
const REVISION = "deployment.kubernetes.io/revision";
const TEMPLATE_HASH = "pod-template-hash";

/** Pods of a workload's present template; those of templates before, on their way out, say nothing about it. */
export async function podsOf(api: Cluster, { ref, found }: SeenWorkload): Promise<readonly Pod[]> {
  const labels = found?.spec.selector?.matchLabels;
  if (found === undefined || labels === undefined) return [];
  const query = `?labelSelector=${encodeURIComponent(selectorOf(labels))}`;
  const pods = await readList<Pod>(api, `/api/v1/namespaces/${ref.namespace}/pods${query}`);
  const living = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const hash = ref.kind === "Deployment" ? await presentHash(api, found, ref.namespace) : undefined;
  return living.filter(
    ({ metadata }) => hash === undefined || metadata.labels?.[TEMPLATE_HASH] === hash,
  );
}

/** Events about one object. */
export function eventsOf(
  api: Cluster,
  namespace: string,
  uid: string | undefined,
): Promise<readonly KubeEvent[]> {
  if (uid === undefined) return Promise.resolve([]);
  const query = encodeURIComponent(`involvedObject.uid=${uid}`);
  return readList<KubeEvent>(api, `/api/v1/namespaces/${namespace}/events?fieldSelector=${query}`);
}

/** Whether an object that a pod mounts is there; `undefined` where nobody may look. */
export async function isThere(api: Cluster, path: string): Promise<boolean | undefined> {
  return readObject(api, path).then(
    (object) => object !== undefined,
    () => undefined,
  );
}

/** All containers of a pod, those that start first in front. */
export function containersOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** What holds a pod up, in a few words; nothing where it runs. */
export function podState(pod: Pod): string[] {
  const waiting = containersOf(pod).flatMap(({ name, state }) => {
    const { reason, message = "" } = state?.waiting ?? {};
    return reason === undefined ? [] : [`${name}: ${`${reason} ${message}`.trim()}`];
  });
  const unmet = (pod.status?.conditions ?? [])
    .filter(({ type, status }) => type === "PodScheduled" && status === "False")
    .map(({ reason = "", message = "" }) => `${reason} ${message}`.trim());
  const why = [...unmet, ...waiting];
  const { phase = "unknown" } = pod.status ?? {};
  if (why.length === 0 && phase === "Running") return [`${pod.metadata.name}: not ready`];
  return [`${pod.metadata.name}: ${why.length === 0 ? phase : why.join(", ")}`];
}

async function presentHash(
  api: Cluster,
  { metadata, spec }: Workload,
  namespace: string,
): Promise<string | undefined> {
  const revision = metadata.annotations?.[REVISION];
  if (revision === undefined) return undefined;
  const query = `?labelSelector=${encodeURIComponent(selectorOf(spec.selector?.matchLabels ?? {}))}`;
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets${query}`;
  const sets = await readList<ReplicaSet>(api, path);
  const present = sets.find((set) => set.metadata.annotations?.[REVISION] === revision);
  return present?.metadata.labels?.[TEMPLATE_HASH];
}

function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map((pair) => pair.join("="))
    .join(",");
}
