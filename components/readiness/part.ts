import type { ClusterApi } from "../cluster-api.ts";

/** What a wait asks the API server: it looks, tries, and changes nothing. */
export type Cluster = Pick<ClusterApi, "get" | "getText" | "tryCreate">;

/** Kinds of workloads that can be rolled out. */
export const WORKLOAD_KINDS = ["Deployment", "DaemonSet", "StatefulSet"] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export interface WorkloadRef {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
}

/** Kinds of webhook configurations, in the order in which the API server calls them. */
export const CONFIGURATION_KINDS = [
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
] as const;
export type ConfigurationKind = (typeof CONFIGURATION_KINDS)[number];

export interface ConfigurationRef {
  readonly kind: ConfigurationKind;
  readonly name: string;
}

/** What a part of a layer is made of, as far as it can be waited for. */
export interface PartContents {
  readonly workloads: readonly WorkloadRef[];
  readonly configurations: readonly ConfigurationRef[];
}

/** A condition of a custom resource that has to be true for the object as it is now. */
export interface WantedCondition {
  readonly kind: string;
  /** Path of the object in the API. */
  readonly path: string;
  readonly condition: string;
  /** `status.version` that it has to tell as well. */
  readonly version?: string;
}

/** A part of a layer that others wait for. */
export interface Part {
  /** What reports and progress lines call it. */
  readonly name: string;
  /** Namespace for what is tried and for commands in reports. */
  readonly namespace: string;
  /** Asked anew at every look: what makes up the part may come while it is waited for. */
  readonly contents: (api: Cluster) => Promise<PartContents>;
  /** True where there is always one: none found means that it was not looked for in the right place, or too early. */
  readonly hasWorkloads: boolean;
  readonly conditions: readonly WantedCondition[];
}

/** Contents of a part that is nothing but its conditions. */
export const NO_CONTENTS: PartContents = { workloads: [], configurations: [] };

/** Path of a workload in the API. */
export function workloadPath({ kind, namespace, name }: WorkloadRef): string {
  return `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
}

/** A workload in the words of kubectl. */
export function workloadName({ kind, name }: Pick<WorkloadRef, "kind" | "name">): string {
  return `${kind.toLowerCase()}/${name}`;
}
