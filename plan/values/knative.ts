import type { Settings } from "../../config/schema.ts";
import type { ImageMap } from "../../images/image-map.ts";
import type { CatalogImage, ReleaseOf } from "../../versions/schema.ts";
import type { ResolvedIngress, Values } from "../plan.ts";
import { imageValues, upstreamOf } from "./images.ts";
import { mergeValues } from "./merge.ts";

/** Name of the ConfigMap that carries the registry's private CA in every namespace. */
export const REGISTRY_CA_NAME = "kserve-registry-ca";
/** Knative's own list, which setting the key replaces (knative/serving@knative-v1.20.0:pkg/deployment/config.go). */
const LOCAL_REGISTRIES = ["kind.local", "ko.local", "dev.local"];

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

type Registry = NonNullable<Settings["registry"]>;

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
        "registries-skipping-tag-resolving": unresolved(settings.registry).join(","),
      },
    },
    ...trust(settings.registry),
  };
}

/**
 * Registries whose tags Knative's controller leaves alone: it asks with its own trust and its own credentials, and a
 * private CA or a missing password would stop every revision. Those of exceptions are as private as the mirror.
 */
function unresolved({ host, images, resolveTags }: Registry): string[] {
  if (resolveTags) return LOCAL_REGISTRIES;
  const others = Object.values(images).map((image) => image.split("/", 1)[0] ?? host);
  return [...new Set([...LOCAL_REGISTRIES, host, ...others])];
}

/** Mounted into Knative's controller, which trusts it beside the public CAs. */
function trust({ ca, resolveTags }: Registry): Values {
  return resolveTags && ca !== undefined
    ? { "controller-custom-certs": { type: "ConfigMap", name: REGISTRY_CA_NAME } }
    : {};
}
