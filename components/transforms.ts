import type { Chart } from "@pulumi/kubernetes/helm/v4/chart.js";
import type * as pulumi from "@pulumi/pulumi";
import type { ImageMap } from "../images/image-map.ts";

/** A change to the rendered objects of a chart or manifest, on their way into the engine. */
export type ObjectTransform = (
  object: RenderedObject,
  options: pulumi.CustomResourceOptions,
) => Change | undefined;

/** A Kubernetes object as a chart rendered it. */
export interface RenderedObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [key: string]: unknown;
}

interface Change {
  readonly object: RenderedObject;
  readonly options?: pulumi.CustomResourceOptions;
}

/**
 * One engine transform out of several object transforms, applied in order. Components pass through untouched: a
 * transform that answers with options for a component would lose its providers
 * (pulumi/pulumi@v3.259.0:sdk/nodejs/runtime/callbacks.ts).
 */
export function combine(transforms: readonly ObjectTransform[]): pulumi.ResourceTransform {
  return (args) => {
    if (!args.custom || !args.type.startsWith("kubernetes:")) return undefined;
    let change: Change = {
      object: args.props,
      options: args.opts,
    };
    for (const transform of transforms) {
      change = { ...change, ...transform(change.object, change.options ?? {}) };
    }
    return { props: change.object, opts: change.options ?? {} };
  };
}

/** Moves every known image to the mirror. */
export function mirrorImages(map: ImageMap): ObjectTransform {
  return (object) => ({ object: map.rewriteObject(object) });
}

/**
 * Lets an update of one kind win over another writer of the same field: istiod turns the `failurePolicy` of its
 * validating webhooks to `Fail`, and charts before 1.28.6 state `Ignore` (istio/istio#57643); it corrects it again.
 */
export function forceUpdates(kind: string): ObjectTransform {
  return (object) =>
    object.kind === kind
      ? { object: annotate(object, { "pulumi.com/patchForce": "true" }) }
      : undefined;
}

/**
 * Leaves out what a controller fills in: the cluster writes the rules of an aggregated ClusterRole, and a chart that
 * states `rules: []` would show an update in every preview.
 */
export const dropAggregatedRules: ObjectTransform = (object) => {
  if (object.kind !== "ClusterRole" || object["aggregationRule"] === undefined) return undefined;
  const { rules: _rules, ...rest } = object;
  return { object: rest };
};

/** Where the post-renderer notes the order inside a chart (charts/order.mjs). */
const DEPENDS_ON = "config.kubernetes.io/depends-on";

/**
 * Takes the order inside a chart away again: by now it is dependencies of the resource, and other tools that act on the
 * annotation are to find none.
 */
export const dropOrder: ObjectTransform = (object) => {
  const { [DEPENDS_ON]: order, ...others } = object.metadata?.annotations ?? {};
  if (order === undefined) return undefined;
  const { annotations: _annotations, ...metadata } = object.metadata ?? {};
  const rest = Object.keys(others).length === 0 ? {} : { annotations: others };
  return { object: { ...object, metadata: { ...metadata, ...rest } } };
};

/**
 * Kinds whose own waits of the provider mean too little and end too late: ten seconds and more for endpoints of each
 * Service, and ten minutes for a Deployment whatever its pods say. `components/readiness/` waits for what matters.
 */
const NOT_AWAITED = ["DaemonSet", "Deployment", "Service", "StatefulSet"];

/** Keeps the provider from waiting by itself; it still waits for its deletions, but for those of workloads. */
export const SKIP_AWAIT = { "pulumi.com/skipAwait": "true" } as const;

/** Objects of a chart are there when they exist. */
export const skipAwait: ObjectTransform = (object) =>
  NOT_AWAITED.includes(object.kind ?? "") ? { object: annotate(object, SKIP_AWAIT) } : undefined;

/** Group of kinds that the cluster's own controllers know from their start. */
const BUILT_IN_GROUP = /^[^.]*$|^(?!gateway\.).*\.k8s\.io$/;

/**
 * Has the provider delete an object as kubectl does. In the foreground, its default, the object stays until the garbage
 * collector has looked for what it owns, and that learns of new kinds only every 30 s
 * (kubernetes/kubernetes@v1.34.3:cmd/kube-controller-manager/app/core.go): a destroy soon after an install would stand
 * still for so long. For custom resources that own nothing which has to be gone before the next step.
 */
export const IN_BACKGROUND = { "pulumi.com/deletionPropagationPolicy": "background" } as const;

/** Deletes the custom resources of a chart in the background; built-in kinds as the provider sees fit. */
export const deleteInBackground: ObjectTransform = (object) =>
  isCustomResource(object) ? { object: annotate(object, IN_BACKGROUND) } : undefined;

/** True for an object of a kind that somebody has defined, and that the API server does not know by itself. */
export function isCustomResource({ apiVersion = "" }: RenderedObject): boolean {
  const [group = "", version] = apiVersion.split("/");
  return version !== undefined && !BUILT_IN_GROUP.test(group);
}

/** What is there as a whole once it is registered; of a component of ours the engine only knows that it was begun. */
export type Whole = pulumi.CustomResource | Chart;

/** Places objects after other resources, and on destroy takes them away before those. */
export function comeAfter(resources: readonly Whole[]): ObjectTransform {
  return (object, options) => {
    // Always a list: the engine hands a transform what it will act on, not what the program wrote.
    const own = (options.dependsOn ?? []) as readonly pulumi.Resource[];
    return { object, options: { ...options, dependsOn: [...own, ...resources] } };
  };
}

function annotate(
  object: RenderedObject,
  annotations: Readonly<Record<string, string>>,
): RenderedObject {
  const metadata = object.metadata ?? {};
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
  };
}
