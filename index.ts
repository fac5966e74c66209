/**
 * The program of every stack: configuration to plan, plan to layers. This is the only file that knows the order;
 * a layer that a stack does not need is not constructed.
 */
import "./startup/preload.ts";
import { CertManager } from "./components/cert-manager.ts";
import { CustomResourceDefinitions } from "./components/crds/custom-resource-definitions.ts";
import { EnvoyGateway } from "./components/envoy-gateway.ts";
import { GatewayApi } from "./components/gateway-api.ts";
import { IstioMesh } from "./components/istio-mesh.ts";
import { KnativeOperator } from "./components/knative-operator.ts";
import { KnativeServing } from "./components/knative-serving.ts";
import { KServeCore } from "./components/kserve-core.ts";
import { UseGuards } from "./components/in-use/guards.ts";
import { Leftovers } from "./components/leftovers.ts";
import { Namespaces } from "./components/namespaces.ts";
import { PlacedObjects } from "./components/placed-objects.ts";
import { createProviders } from "./components/providers.ts";
import { findLayer, getLayer } from "./plan/plan.ts";
import type { LayerName } from "./plan/plan.ts";
import { loadManifests } from "./program/load-manifests.ts";
import { loadPlan } from "./program/load-plan.ts";
import { loadCatalog } from "./versions/catalog.ts";

const catalog = loadCatalog();
const plan = await loadPlan(catalog);
const manifests = await loadManifests(plan);
const providers = createProviders(plan.settings);

const placed = PlacedObjects.watch(providers);

const layerArgs = (name: LayerName) => ({ plan, layer: getLayer(plan, name), providers });
const needs = (name: LayerName): boolean => findLayer(plan, name) !== undefined;

const namespaces = new Namespaces("namespaces", { plan, providers });
const base = { plan, providers, namespaces, manifests, placed };
const crds = new CustomResourceDefinitions("crds", base);
const leftovers = new Leftovers("leftovers", { plan, providers });

const certManager = new CertManager("cert-manager", {
  ...layerArgs("CertManager"),
  crds,
  leftovers,
});

const gatewayApi = needs("GatewayApi")
  ? new GatewayApi("gateway-api", { ...layerArgs("GatewayApi"), crds, certManager })
  : undefined;

const istio = needs("IstioMesh")
  ? new IstioMesh("istio", { ...layerArgs("IstioMesh"), crds, leftovers })
  : undefined;

const envoyGateway = needs("EnvoyGateway")
  ? new EnvoyGateway("envoy-gateway", { ...layerArgs("EnvoyGateway"), crds, certManager })
  : undefined;

const operator = needs("KnativeServing")
  ? new KnativeOperator("knative-operator", { ...layerArgs("KnativeServing"), crds })
  : undefined;

const knative =
  operator === undefined
    ? undefined
    : new KnativeServing("knative", { ...layerArgs("KnativeServing"), operator, istio });

const kserve = new KServeCore("kserve", {
  ...layerArgs("KServeCore"),
  crds,
  leftovers,
  certManager,
  gatewayApi,
  istio,
  envoyGateway,
  knative,
  release: catalog.get("kserve", getLayer(plan, "KServeCore").version),
});

const installed = [certManager, gatewayApi, istio, envoyGateway, knative, kserve].filter(
  (layer) => layer !== undefined,
);
new UseGuards("in-use", { plan, providers, crds, placed, layers: installed });

/** Installed versions by product. */
export const versions = plan.selection.versions;
/** Deployment mode that KServe applies by default. */
export const mode = plan.settings.mode;
/** Namespace of KServe's controller. */
export const namespace = plan.settings.namespaces.kserve;
/** Layers in install order. */
export const layers = installed.map((layer) => `${layer.product} ${layer.version}`);
