import type { Selection } from "../compat/rule.ts";
import type { Feature } from "../config/features.ts";
import type { IngressType, Mode, Settings } from "../config/schema.ts";
import type { ImageMap } from "../images/image-map.ts";
import type { MirrorLayout } from "../images/mirror.ts";
import type { ChartRole, Product } from "../versions/schema.ts";

/** Layers in an order in which they can be installed. */
export const LAYERS = [
  "CertManager",
  "GatewayApi",
  "IstioMesh",
  "EnvoyGateway",
  "KnativeServing",
  "KServeCore",
] as const;
export type LayerName = (typeof LAYERS)[number];

/**
 * What each layer waits for, besides everybody's CRDs; those that a stack has not do not count. Layers that stand on
 * different things go up side by side.
 */
export const STANDS_ON: Readonly<Record<LayerName, readonly LayerName[]>> = {
  CertManager: [],
  GatewayApi: ["CertManager"],
  IstioMesh: [],
  EnvoyGateway: ["CertManager"],
  KnativeServing: ["IstioMesh"],
  KServeCore: ["CertManager", "GatewayApi", "IstioMesh", "EnvoyGateway", "KnativeServing"],
};

/** Chart values, as Helm takes them. */
export type Values = Readonly<Record<string, unknown>>;

/** Where a chart comes from, in the words of `helm.v4.Chart`. */
export interface ChartLocation {
  /** `oci://…/<name>`, a chart name in `repo`, or a path without `.tgz` (folder and archive are both looked for). */
  readonly chart: string;
  /** Absent for a path. */
  readonly version?: string;
  /** Address of an HTTP repository. */
  readonly repo?: string;
  readonly plainHttp?: boolean;
}

/** One chart of one layer. */
export interface PlannedChart {
  readonly role: ChartRole;
  readonly name: string;
  readonly version: string;
  readonly location: ChartLocation;
  readonly values: Values;
  /** Objects (`Kind/name`) that are not placed, whatever the values say. */
  readonly leaveOut: readonly string[];
}

/** A file of manifests of one layer: an http(s) address or a path. */
export interface PlannedManifest {
  readonly file: string;
  readonly location: string;
}

/** CRDs that come out of one chart or one file; a chart may hold other things too, which its layer places. */
export type PlannedCrds =
  | {
      readonly name: string;
      readonly namespace: string;
      readonly source: "chart";
      readonly chart: PlannedChart;
    }
  | {
      readonly name: string;
      readonly namespace: string;
      readonly source: "manifest";
      readonly manifest: PlannedManifest;
    };

/** One image that the stack needs, or may need. */
export interface PlannedImage {
  readonly layer: LayerName;
  readonly name: string;
  /** Full upstream reference, with the digest where the catalog knows it. */
  readonly upstream: string;
  /** The reference that is installed: mirrored, or upstream's own. */
  readonly image: string;
  readonly usedBy: string;
  /** Release of its product since which the catalog lists it; absent for images that the stack names itself. */
  readonly since?: string;
  /** Feature or runtime that needs it; absent: always needed in this mode. */
  readonly optional?: string;
  /** True for moving tags. */
  readonly floating?: boolean;
}

/** What every layer tells the engine about itself: plain values, so that policies see them in preview. */
export interface LayerContract {
  readonly product: Product;
  readonly version: string;
  readonly mode: Mode;
  readonly ingress: IngressType;
  /** Kubernetes version of the cluster; absent when nobody could say. */
  readonly kubernetes?: string;
  /** Registry that every image must come from; absent: upstream registries. */
  readonly registry?: string;
  /** Parts of KServe that the stack asks for; absent: none. */
  readonly features?: readonly Feature[];
  /** Rules that the stack breaks on purpose. */
  readonly acknowledge: readonly { readonly rule: string; readonly reason: string }[];
}

/** A layer that will exist. */
export interface PlannedLayer {
  readonly name: LayerName;
  readonly product: Product;
  readonly version: string;
  readonly namespaces: readonly string[];
  readonly charts: readonly PlannedChart[];
  readonly manifests: readonly PlannedManifest[];
  /** Definitions that are on the cluster before any layer; `namespace` is where the record of each is kept. */
  readonly crds: readonly PlannedCrds[];
  /** Layers that have to be ready before this one starts. */
  readonly dependsOn: readonly LayerName[];
  readonly contract: LayerContract;
}

/** Everything the program is going to do, without Pulumi: components place it, commands print it. */
export interface Plan {
  readonly settings: Settings;
  readonly selection: Selection;
  readonly ingress: ResolvedIngress;
  readonly layers: readonly PlannedLayer[];
  readonly images: readonly PlannedImage[];
  readonly imageMap: ImageMap;
  /** `spec` of the KnativeServing resource, when the stack has one. */
  readonly knativeServing?: Values;
  /** `spec` of the EnvoyProxy resource that all proxies are made by, when the stack installs Envoy Gateway. */
  readonly envoyProxy?: Values;
  readonly mirror?: MirrorLayout;
  /** Name of the pull secret to reference, when there is one. */
  readonly pullSecret?: string;
}

/** The ingress choice with its defaults filled in. */
export interface ResolvedIngress {
  readonly type: IngressType;
  /** GatewayClass or IngressClass; absent where the type has none. */
  readonly className?: string;
  /** Controller of the GatewayClass that this program creates; absent: the class exists already. */
  readonly controllerName?: string;
  /** True when the Gateway `kserve-ingress-gateway` is created. */
  readonly gateway: boolean;
}

/** The planned layer of that name, or `undefined` when this stack has none. */
export function findLayer(plan: Plan, name: LayerName): PlannedLayer | undefined {
  return plan.layers.find((layer) => layer.name === name);
}

/** The planned layer of that name. Throws when the plan has none: callers ask only for layers that exist. */
export function getLayer(plan: Plan, name: LayerName): PlannedLayer {
  const layer = findLayer(plan, name);
  if (layer === undefined) throw new Error(`the plan has no layer ${name}`);
  return layer;
}

/** A chart of a layer by its role, or `undefined` when this stack has none. */
export function findChart(layer: PlannedLayer, role: ChartRole): PlannedChart | undefined {
  return layer.charts.find((item) => item.role === role);
}

/** A chart of a layer by its role. Throws when the layer has none of that role. */
export function getChart(layer: PlannedLayer, role: ChartRole): PlannedChart {
  const chart = findChart(layer, role);
  if (chart === undefined)
    throw new Error(`${layer.name} ${layer.version} has no chart with the role ${role}`);
  return chart;
}
