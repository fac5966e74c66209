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

/** Waits for a condition on objects of one kind, all of them or the named ones. */
export function waitFor(
  kind: string,
  condition: string,
  names?: readonly string[],
): ObjectTransform {
  return (object) => {
    const matches = object.kind === kind && (names?.includes(object.metadata?.name ?? "") ?? true);
    return matches ? { object: annotate(object, { "pulumi.com/waitFor": condition }) } : undefined;
  };
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

/** Present as soon as somebody signed the webhook's certificate; a JSONPath that the provider waits on. */
export const HAS_CA_BUNDLE = "jsonpath={.webhooks[*].clientConfig.caBundle}";

/**
 * Leaves out what a controller fills in: the cluster writes the rules of an aggregated ClusterRole, and a chart that
 * states `rules: []` would show an update in every preview.
 */
export const dropAggregatedRules: ObjectTransform = (object) => {
  if (object.kind !== "ClusterRole" || object["aggregationRule"] === undefined) return undefined;
  const { rules: _rules, ...rest } = object;
  return { object: rest };
};

/**
 * Services are ready when they exist: the provider would wait ten seconds and more for endpoints of each, and what
 * matters is waited for where it means something (Deployments, webhooks, conditions).
 */
export const skipServiceAwait: ObjectTransform = (object) =>
  object.kind === "Service"
    ? { object: annotate(object, { "pulumi.com/skipAwait": "true" }) }
    : undefined;

/**
 * Gives the pods of Deployments and DaemonSets the pull secret where their chart has no value for one: KServe's local
 * model charts, and its controller up to 0.13. Pods that name secrets keep theirs.
 */
export function addPullSecret(name: string | undefined): ObjectTransform {
  return (object) => {
    if (name === undefined || !["Deployment", "DaemonSet"].includes(object.kind ?? "")) return;
    const { spec } = object as { spec?: { template?: { spec?: Record<string, unknown> } } };
    const pod = spec?.template?.spec;
    if (pod === undefined || isNotEmpty(pod["imagePullSecrets"])) return;
    const template = { ...spec?.template, spec: { ...pod, imagePullSecrets: [{ name }] } };
    return { object: { ...object, spec: { ...spec, template } } };
  };
}

function isNotEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
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
