import type { Plan, LayerName } from "../../plan/plan.ts";
import { GATEWAY_NAME } from "../../plan/values/kserve.ts";
import type { PlacedObject } from "../placed-objects.ts";

/** An object of the cluster, as far as anybody here looks at it. */
export interface ClusterObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
    }[];
  };
  readonly spec?: {
    readonly gatewayClassName?: string;
    readonly parentRefs?: readonly {
      readonly kind?: string;
      readonly namespace?: string;
      readonly name: string;
    }[];
  };
}

/** What of the cluster a layer is asked about before it goes; kept in the stack's state, so that a layer that is no longer planned is still asked. */
export interface Guarded {
  /** Names of definitions, `plural.group`. */
  readonly kinds: readonly string[];
  /** What this program has placed of them, `Kind.group namespace/name`. */
  readonly placed: readonly string[];
  /** Gateway classes that are served by what goes. */
  readonly classes: readonly string[];
  /** Gateways that go, `namespace/name`. */
  readonly gateways: readonly string[];
  /** Groups whose objects speak for what they own: their own guard asks for them. */
  readonly owners: readonly string[];
}

/** What becomes of an object when the layer goes. */
export type Verdict = "needs" | "stays" | "ignored";

/**
 * Kinds that bring their definitions themselves, beside those in the records of a layer: the operator installs them.
 * Revisions and the like are owned by these. (knative/serving@knative-v1.20.0:config/core/300-resources)
 */
const FURTHER_KINDS: Partial<Record<LayerName, readonly string[]>> = {
  KnativeServing: [
    "services.serving.knative.dev",
    "routes.serving.knative.dev",
    "configurations.serving.knative.dev",
    "domainmappings.serving.knative.dev",
  ],
};

/** Groups whose objects only work, and mostly only go away, while their controller runs. */
const SERVED_GROUPS = new Set(["serving.kserve.io", "serving.knative.dev", "operator.knative.dev"]);

/**
 * Kinds that controllers make by themselves and that carry no finalizer
 * (kserve/kserve@v0.20.0:pkg/controller/v1alpha1/localmodel/reconcilers/utils.go).
 */
const MACHINE_MADE = new Set(["localmodelnodes.serving.kserve.io"]);

/** Groups with many implementations: only what is attached to ours is any of our business. */
const SHARED_GROUP = /^gateway\.networking\.k8s\.io$|^inference\.networking\./;
/** Gateways of Gateway API. */
export const GATEWAYS = "gateways.gateway.networking.k8s.io";
const ROUTES = /^[a-z]+routes\.gateway\.networking\.k8s\.io$/;

/** The class that istiod serves without anybody placing it (istio/istio@1.28.10:pilot/pkg/config/kube/gateway/gatewayclass.go). */
const ISTIO_CLASS = "istio";

/** Groups of KServe and Knative: what they own is asked for through its owner. */
const PLATFORM_OWNERS = [
  ...SERVED_GROUPS,
  "networking.internal.knative.dev",
  "caching.internal.knative.dev",
  "autoscaling.internal.knative.dev",
];

/**
 * What the guard of some layers asks about. Knative's own guard does not excuse what KServe owns: a Knative that goes
 * while KServe stays takes the services below it away.
 */
export function guardOf(
  layers: readonly LayerName[],
  plan: Plan,
  {
    definitions,
    placed,
  }: {
    readonly definitions: readonly string[];
    readonly placed: readonly PlacedObject[];
  },
): Guarded {
  const further = layers.flatMap((layer) => FURTHER_KINDS[layer] ?? []);
  const kinds = [...new Set([...definitions, ...further])].toSorted();
  const groups = new Set(kinds.map(groupOf));
  const onlyKnative = layers.every((layer) => layer === "KnativeServing");
  return {
    kinds,
    placed: placed
      .filter(({ group }) => groups.has(group))
      .map(({ kind, group, namespace, name }) => `${kind}.${group} ${namespace}/${name}`)
      .toSorted(),
    ...gatewaysOf(layers, plan),
    owners: onlyKnative ? [] : PLATFORM_OWNERS,
  };
}

/** Part of a definition's name behind the plural. */
export function groupOf(kind: string): string {
  return kind.slice(kind.indexOf(".") + 1);
}

/** What becomes of an object of a kind. `gateways` are those that go or lose what serves them, `namespace/name`. */
export function judge(
  kind: string,
  object: ClusterObject,
  guarded: Pick<Guarded, "kinds" | "classes" | "owners">,
  gateways: readonly string[] = [],
): Verdict {
  if (MACHINE_MADE.has(kind) || isSpokenFor(object, guarded)) return "ignored";
  if (SHARED_GROUP.test(groupOf(kind)))
    return isAttached(kind, object, guarded, gateways) ? "needs" : "ignored";
  const { finalizers = [] } = object.metadata;
  return SERVED_GROUPS.has(groupOf(kind)) || finalizers.length > 0 ? "needs" : "stays";
}

/** True where an owner is asked for in its place. */
function isSpokenFor(
  { metadata }: ClusterObject,
  { kinds, owners }: Pick<Guarded, "kinds" | "owners">,
): boolean {
  const groups = new Set([...kinds.map(groupOf), ...owners]);
  return (metadata.ownerReferences ?? []).some(({ apiVersion }) =>
    groups.has(apiVersion.split("/")[0] ?? ""),
  );
}

function isAttached(
  kind: string,
  { metadata, spec = {} }: ClusterObject,
  { classes }: Pick<Guarded, "classes">,
  gateways: readonly string[],
): boolean {
  if (kind === GATEWAYS) return classes.includes(spec.gatewayClassName ?? "");
  if (!ROUTES.test(kind)) return false;
  return (spec.parentRefs ?? []).some(
    (parent) =>
      (parent.kind ?? "Gateway") === "Gateway" &&
      gateways.includes(`${parent.namespace ?? metadata.namespace ?? ""}/${parent.name}`),
  );
}

/** The classes that some layers serve, and the Gateways that they place. */
function gatewaysOf(
  layers: readonly LayerName[],
  plan: Plan,
): Pick<Guarded, "classes" | "gateways"> {
  const { type, className, controllerName, gateway } = plan.ingress;
  const owner: LayerName = type === "envoy" ? "EnvoyGateway" : "GatewayApi";
  const ours = layers.includes(owner);
  const placesClass = ours && className !== undefined && controllerName !== undefined;
  return {
    classes: [
      ...(placesClass ? [className] : []),
      ...(layers.includes("IstioMesh") ? [ISTIO_CLASS] : []),
    ],
    gateways: ours && gateway ? [`${plan.settings.namespaces.kserve}/${GATEWAY_NAME}`] : [],
  };
}
