import type { Settings } from "../../config/schema.ts";
import type { ImageMap } from "../../images/image-map.ts";
import type { CatalogImage, ReleaseOf } from "../../versions/schema.ts";
import type { ResolvedIngress, Values } from "../plan.ts";
import { imageValues, upstreamOf } from "./images.ts";
import { mergeValues } from "./merge.ts";

/** Annotation classes of the network layers (knative/networking: pkg/config/config.go, per facts of the releases). */
const INGRESS_CLASSES = {
  istio: "istio.ingress.networking.knative.dev",
  kourier: "kourier.ingress.networking.knative.dev",
} as const;

/**
 * Values of the operator's chart. The chart's own default floor (v1.25.0) is below what the processes accept, and
 * from 1.22 it reaches them: the floor of the Serving release is set instead.
 */
export function knativeOperatorValues(
  operator: ReleaseOf<"knative-operator">,
  serving: ReleaseOf<"knative-serving">,
  map: ImageMap,
): Values {
  return mergeValues(
    { knative_operator: { kubernetes_min_version: `v${serving.kubernetesMin.value}` } },
    ...operator.images.map((image) => imageValues(image, map)),
  );
}

interface ServingContext {
  readonly serving: ReleaseOf<"knative-serving">;
  /** Images of Serving and of the network plugin that come with the operator. */
  readonly images: readonly CatalogImage[];
  readonly ingress: ResolvedIngress;
  readonly map: ImageMap;
  readonly pullSecret: string | undefined;
}

/** `spec` of the KnativeServing resource. The version is exact: a shorter one would move with the operator. */
export function knativeServingSpec(settings: Settings, context: ServingContext): Values {
  const plugin = context.ingress.type === "kourier" ? "kourier" : "istio";
  return mergeValues(
    {
      version: context.serving.version,
      ingress: {
        istio: { enabled: plugin === "istio" },
        kourier: { enabled: plugin === "kourier" },
      },
      config: {
        network: { "ingress-class": INGRESS_CLASSES[plugin] },
        domain: { [settings.ingress.domain]: "" },
        autoscaler: autoscaler(settings),
      },
    },
    settings.knative.replicas === undefined
      ? {}
      : { "high-availability": { replicas: settings.knative.replicas } },
    settings.knative.resources === undefined ? {} : workloads(settings.knative.resources),
    mirrored(settings, context),
    settings.knative.values,
  );
}

/** Deployments of Serving itself, with their main containers of the same name. */
const SERVING_WORKLOADS = ["activator", "autoscaler", "controller", "webhook"];

function workloads(resources: Values): Values {
  return {
    workloads: SERVING_WORKLOADS.map((name) => ({
      name,
      resources: [{ container: name, ...resources }],
    })),
  };
}

/** Keys and meaning: knative/serving@knative-v1.20.0:config/core/configmaps/autoscaler.yaml. */
function autoscaler(settings: Settings): Values {
  const { minScale, maxScale, target } = settings.knative.autoscaling;
  return Object.fromEntries(
    Object.entries({
      "min-scale": minScale,
      "max-scale": maxScale,
      "container-concurrency-target-default": target,
    }).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  );
}

/**
 * The operator carries its images inside, so only the resource can move them: one override per deployment and
 * container (the operator's `registry.default` would merge all `controller` and `webhook` images into one name), and
 * queue-proxy once more for the pods of every revision (knative/operator#2313).
 */
function mirrored(settings: Settings, context: ServingContext): Values {
  if (settings.registry === undefined) return {};
  const overrides = context.images.flatMap((image) =>
    image.override === undefined
      ? []
      : [[image.override, context.map.target(upstreamOf(image))] as const],
  );
  const queue = context.images.find((image) => image.override === "queue-proxy");
  return {
    registry: {
      override: Object.fromEntries(overrides),
      ...(context.pullSecret === undefined
        ? {}
        : { imagePullSecrets: [{ name: context.pullSecret }] }),
    },
    config: {
      deployment: {
        ...(queue === undefined
          ? {}
          : { "queue-sidecar-image": context.map.target(upstreamOf(queue)) }),
        // A private CA or missing credentials must not stop revisions: tags of the mirror are not resolved there.
        "registries-skipping-tag-resolving": `kind.local,ko.local,dev.local,${settings.registry.host}`,
      },
    },
  };
}
