import type { Cluster, WorkloadRef } from "./part.ts";
import { workloadName, workloadPath } from "./part.ts";
import { readObject } from "./read.ts";

/** What is asked of a Deployment, DaemonSet or StatefulSet. */
export interface Workload {
  readonly metadata: {
    readonly name: string;
    readonly generation: number;
    readonly uid?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
  readonly status?: WorkloadStatus;
}

interface WorkloadStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly availableReplicas?: number;
  readonly desiredNumberScheduled?: number;
  readonly updatedNumberScheduled?: number;
  readonly numberAvailable?: number;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly message?: string;
  }[];
}

/** A workload as it was seen; `found` is absent while it is not there. */
export interface SeenWorkload {
  readonly ref: WorkloadRef;
  readonly found: Workload | undefined;
}

/** How far a rollout is, in the same numbers for every kind. */
interface Progress {
  readonly wanted: number;
  readonly existing: number;
  readonly updated: number;
  readonly available: number;
}

export async function seeWorkload(api: Cluster, ref: WorkloadRef): Promise<SeenWorkload> {
  return { ref, found: await readObject<Workload>(api, workloadPath(ref)) };
}

/** True when all of it runs what it is told to (kubernetes/kubernetes@v1.34.3:staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). */
export function isRolledOut({ ref, found }: SeenWorkload): boolean {
  if (found === undefined) return false;
  const { observedGeneration = 0 } = found.status ?? {};
  const { wanted, existing, updated, available } = progressOf(ref, found);
  return (
    observedGeneration >= found.metadata.generation &&
    updated >= wanted &&
    existing <= updated &&
    available >= updated
  );
}

/** Where a rollout stands, in a few words. */
export function stateOf({ ref, found }: SeenWorkload): string {
  if (found === undefined) return `${workloadName(ref)} (not there yet)`;
  const { wanted, updated, available } = progressOf(ref, found);
  return `${workloadName(ref)} (${String(updated)} of ${String(wanted)} updated, ${String(available)} available)`;
}

function progressOf({ kind }: WorkloadRef, { spec, status = {} }: Workload): Progress {
  if (kind === "DaemonSet") {
    const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled: updated = 0 } = status;
    return { wanted, updated, existing: updated, available: status.numberAvailable ?? 0 };
  }
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return {
    wanted: spec.replicas ?? 1,
    existing: replicas,
    updated: updatedReplicas,
    available: availableReplicas,
  };
}
