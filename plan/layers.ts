import type { Selection } from "../compat/rule.ts";
import { featuresOf } from "../config/features.ts";
import type { Settings } from "../config/schema.ts";
import type { ImageMap } from "../images/image-map.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { Product, Release } from "../versions/schema.ts";
import { locateManifest, plannedChart } from "./charts.ts";
import { networkPluginRelease } from "./images.ts";
import { crdsOf } from "./crds.ts";
import { jobNamespaces, kserveCharts } from "./kserve-charts.ts";
import { LAYERS, STANDS_ON } from "./plan.ts";
import type {
  LayerContract,
  LayerName,
  PlannedChart,
  PlannedLayer,
  ResolvedIngress,
  Values,
} from "./plan.ts";
import { certManagerValues } from "./values/cert-manager.ts";
import { ENVOY_GATEWAY_CRDS, envoyGatewayValues, envoyProxySpec } from "./values/envoy-gateway.ts";
import { istioBaseValues, istiodValues } from "./values/istio.ts";
import { knativeOperatorValues, knativeServingSpec } from "./values/knative.ts";

/** What every layer is planned from. */
export interface PlanContext {
  readonly settings: Settings;
  readonly selection: Selection;
  readonly ingress: ResolvedIngress;
  readonly catalog: Catalog;
  readonly map: ImageMap;
  readonly pullSecret: string | undefined;
}

/** The product whose version a layer carries. */
const LAYER_PRODUCTS: Readonly<Record<LayerName, Product>> = {
  CertManager: "cert-manager",
  GatewayApi: "gateway-api",
  IstioMesh: "istio",
  EnvoyGateway: "envoy-gateway",
  KnativeServing: "knative-serving",
  KServeCore: "kserve",
};

/** All layers that the stack needs, in install order. */
export function planLayers(context: PlanContext): PlannedLayer[] {
  const present = LAYERS.filter(
    (name) => context.selection.versions[LAYER_PRODUCTS[name]] !== undefined,
  );
  return present.map((name) => {
    const before = STANDS_ON[name].filter((other) => present.includes(other));
    return planLayer(name, before, context);
  });
}

/** The KnativeServing resource of the stack, or `undefined` when the mode needs none. */
export function planKnativeServing(context: PlanContext): Values | undefined {
  const { settings, selection, ingress, catalog, map, pullSecret } = context;
  const version = selection.versions["knative-serving"];
  const plugin = networkPluginRelease(selection.versions, ingress, catalog);
  if (version === undefined || plugin === undefined) return undefined;
  const serving = catalog.get("knative-serving", version);
  const images = [...serving.images, ...catalog.get(plugin.product, plugin.version).images];
  return knativeServingSpec(settings, { serving, images, ingress, map, pullSecret });
}

/** The EnvoyProxy resource of the stack, or `undefined` when Envoy Gateway is not part of it. */
export function planEnvoyProxy(context: PlanContext): Values | undefined {
  const { settings, selection, catalog, map, pullSecret } = context;
  const version = selection.versions["envoy-gateway"];
  if (version === undefined) return undefined;
  return envoyProxySpec(catalog.get("envoy-gateway", version), settings, { map, pullSecret });
}

function planLayer(
  name: LayerName,
  before: readonly LayerName[],
  context: PlanContext,
): PlannedLayer {
  const product = LAYER_PRODUCTS[name];
  const version = context.selection.versions[product] ?? "";
  const release = context.catalog.get(product, version);
  const layer = {
    namespaces: namespacesOf(name, context.settings, release),
    charts: chartsOf(name, context),
    // cert-manager's CRDs are taken from its chart, so that one artefact is enough.
    manifests: name === "GatewayApi" ? manifestsOf(release, context.settings) : [],
  };
  return {
    name,
    product,
    version,
    ...layer,
    crds: crdsOf(layer, release),
    dependsOn: before,
    contract: contractOf(product, version, context),
  };
}

function contractOf(product: Product, version: string, context: PlanContext): LayerContract {
  const { settings, selection, ingress } = context;
  const kubernetes = selection.versions.kubernetes;
  const features = product === "kserve" ? featuresOf(settings) : [];
  return {
    product,
    version,
    mode: settings.mode,
    ingress: ingress.type,
    ...(kubernetes === undefined ? {} : { kubernetes }),
    ...(settings.registry === undefined ? {} : { registry: settings.registry.host }),
    // Only where it says something: an empty list would be one more line in everybody's diff.
    ...(features.length === 0 ? {} : { features }),
    acknowledge: settings.acknowledge,
  };
}

function namespacesOf(name: LayerName, settings: Settings, release: Release): string[] {
  const { namespaces } = settings;
  switch (name) {
    case "CertManager":
      return [namespaces.certManager];
    case "GatewayApi":
      return [namespaces.kserve];
    case "KServeCore":
      return [namespaces.kserve, ...jobNamespaces(release, settings)];
    case "IstioMesh":
      return [namespaces.istio];
    case "EnvoyGateway":
      return [namespaces.envoyGateway];
    case "KnativeServing":
      return [namespaces.knativeOperator, namespaces.knativeServing];
  }
}

function manifestsOf(release: Release, settings: Settings): PlannedLayer["manifests"] {
  return release.manifests.map((manifest) => locateManifest(manifest, settings.charts));
}

function chartsOf(name: LayerName, context: PlanContext): PlannedChart[] {
  const { settings, catalog, selection, map, ingress, pullSecret } = context;
  const { versions } = selection;
  switch (name) {
    case "GatewayApi":
      return [];
    case "CertManager": {
      const release = catalog.get("cert-manager", versions["cert-manager"] ?? "");
      return [
        plannedChart(
          release,
          "controller",
          certManagerValues(release, settings, { map, pullSecret }),
          settings,
        ),
      ];
    }
    case "IstioMesh": {
      const release = catalog.get("istio", versions.istio ?? "");
      return [
        plannedChart(release, "base", istioBaseValues(release, settings), settings),
        plannedChart(
          release,
          "controller",
          istiodValues(release, settings, { map, pullSecret }),
          settings,
        ),
      ];
    }
    case "EnvoyGateway": {
      const release = catalog.get("envoy-gateway", versions["envoy-gateway"] ?? "");
      const controller = envoyGatewayValues(release, settings, { ingress, map, pullSecret });
      return [
        plannedChart(release, "crds", ENVOY_GATEWAY_CRDS, settings),
        plannedChart(release, "controller", controller, settings),
      ];
    }
    case "KnativeServing": {
      const operator = catalog.get("knative-operator", versions["knative-operator"] ?? "");
      const serving = catalog.get("knative-serving", versions["knative-serving"] ?? "");
      return [
        plannedChart(operator, "operator", knativeOperatorValues(operator, serving, map), settings),
      ];
    }
    case "KServeCore": {
      const release = catalog.get("kserve", versions.kserve ?? "");
      return kserveCharts(release, settings, { ingress, pullSecret });
    }
  }
}
