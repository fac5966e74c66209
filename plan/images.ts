import { featuresOf } from "../config/features.ts";
import type { Settings } from "../config/schema.ts";
import { ImageMap } from "../images/image-map.ts";
import type { MirrorLayout } from "../images/mirror.ts";
import { isMoving } from "../images/moving.ts";
import { formatReference, parseReference } from "../images/reference.ts";
import type { Problem } from "../problems/problem.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { CatalogImage, Product } from "../versions/schema.ts";
import type { LayerName, PlannedImage, ResolvedIngress } from "./plan.ts";
import { checkIstioHub, checkLayout, checkNodes } from "./registry.ts";
import { listedSince } from "./since.ts";
import { upstreamOf } from "./values/images.ts";

/** Source of images that a stack names itself; no release brought them. */
const STACK_FILE = "stack file";

/** What the catalog calls cert-manager's start-up check, and the key of its chart values. */
const STARTUP_CHECK = "startupapicheck";

/** Catalog images of one product inside one layer. */
export interface ImageSource {
  readonly layer: LayerName;
  readonly product: Product;
  readonly version: string;
  readonly images: readonly CatalogImage[];
}

/** The layout of the mirror, or `undefined` when images come from upstream. */
export function mirrorLayout(settings: Settings): MirrorLayout | undefined {
  const { registry } = settings;
  if (registry === undefined) return undefined;
  const { host, layout, project, projects, images, exempt } = registry;
  return { host, layout, project, projects, images, exempt };
}

/** Where the images of a stack come from in the catalog, layer by layer. */
export function imageSources(
  versions: Readonly<Partial<Record<Product | "kubernetes", string>>>,
  ingress: ResolvedIngress,
  catalog: Catalog,
): ImageSource[] {
  const of = (layer: LayerName, product: Product): ImageSource[] => {
    const version = versions[product];
    const release = version === undefined ? undefined : catalog.find(product, version);
    return release === undefined
      ? []
      : [{ layer, product, version: release.version, images: release.images }];
  };
  return [
    ...of("CertManager", "cert-manager"),
    ...of("GatewayApi", "gateway-api"),
    ...of("IstioMesh", "istio"),
    ...of("EnvoyGateway", "envoy-gateway"),
    ...of("KnativeServing", "knative-operator"),
    ...of("KnativeServing", "knative-serving"),
    ...networkPlugin(versions, ingress, catalog),
    ...of("KServeCore", "kserve"),
  ];
}

/** Release of the network plugin that an operator brings along for a Serving version. */
export function networkPluginRelease(
  versions: Readonly<Partial<Record<Product | "kubernetes", string>>>,
  ingress: ResolvedIngress,
  catalog: Catalog,
): { readonly product: "net-istio" | "net-kourier"; readonly version: string } | undefined {
  const operator = versions["knative-operator"];
  const serving = versions["knative-serving"];
  if (operator === undefined || serving === undefined) return undefined;
  const minor = serving.split(".").slice(0, 2).join(".");
  const plugin = ingress.type === "kourier" ? "kourier" : "istio";
  const version = catalog.find("knative-operator", operator)?.carries[minor]?.ingress[plugin];
  return version === undefined ? undefined : { product: `net-${plugin}`, version };
}

function networkPlugin(...query: Parameters<typeof networkPluginRelease>): ImageSource[] {
  const found = networkPluginRelease(...query);
  if (found === undefined) return [];
  const release = query[2].find(found.product, found.version);
  return release === undefined
    ? []
    : [{ layer: "KnativeServing", ...found, images: release.images }];
}

/** The images of a stack in its mode, with their mirrored names. */
export function planImages(
  sources: readonly ImageSource[],
  settings: Settings,
  catalog: Catalog,
): {
  readonly images: readonly PlannedImage[];
  readonly map: ImageMap;
  readonly problems: readonly Problem[];
} {
  const layout = mirrorLayout(settings);
  const features = featuresOf(settings);
  const needed = sources.map(({ layer, product, images }) => ({
    layer,
    product,
    images: [
      ...images
        .filter((image) => image.modes === undefined || image.modes.includes(settings.mode))
        .map((image) => withFeatures(image, features)),
      ...(layer === "KServeCore" ? modelRegistry(settings) : []),
    ],
  }));
  const upstreams = needed.flatMap(({ images }) => images.map(upstreamOf));
  const map = new ImageMap(upstreams, layout);
  const listed = hasStartupCheck(settings)
    ? needed
    : needed.map((source) => ({ ...source, images: source.images.filter(isNoStartupCheck) }));
  const images = listed.flatMap((source) =>
    source.images.map((image) => ({
      ...plannedImage(source.layer, image, map),
      ...(image.source === STACK_FILE
        ? {}
        : { since: listedSince(catalog, source.product, image) }),
    })),
  );
  return {
    images,
    map,
    problems:
      layout === undefined
        ? []
        : [
            ...checkLayout(upstreams, layout),
            ...istioProblems(layout, sources, catalog),
            ...checkNodes(settings.registry),
            ...movingProblems(images),
          ],
  };
}

function istioProblems(
  layout: MirrorLayout,
  sources: readonly ImageSource[],
  catalog: Catalog,
): Problem[] {
  const istio = sources.find(({ product }) => product === "istio");
  return istio === undefined ? [] : checkIstioHub(catalog.get("istio", istio.version), layout);
}

/**
 * The check is off by default (plan/values/cert-manager.ts); only a stack that turns it on needs its image. The map knows
 * the image all the same: its chart values are moved like all others.
 */
function hasStartupCheck({ certManager }: Settings): boolean {
  const check = certManager.values[STARTUP_CHECK] as { readonly enabled?: unknown } | undefined;
  return check?.enabled === true;
}

function isNoStartupCheck({ optional }: CatalogImage): boolean {
  return optional !== STARTUP_CHECK;
}

/** What a feature needs is no longer optional once the stack asks for the feature. */
function withFeatures(image: CatalogImage, features: readonly string[]): CatalogImage {
  if (image.optional === undefined || !features.includes(image.optional)) return image;
  const { optional: _optional, ...always } = image;
  return always;
}

function modelRegistry(settings: Settings): CatalogImage[] {
  const registry = settings.features.modelRegistry;
  if (registry === undefined) return [];
  const usedBy = "ClusterStorageContainer/model-registry container";
  return [{ name: "model-registry", image: registry.image, usedBy, source: STACK_FILE }];
}

function plannedImage(layer: LayerName, image: CatalogImage, map: ImageMap): PlannedImage {
  const upstream = upstreamOf(image);
  const reference = parseReference(upstream);
  const full = reference === undefined ? upstream : formatReference(reference);
  const floating = image.floating ?? (reference !== undefined && isMoving(reference));
  return {
    layer,
    name: image.name,
    upstream: full,
    image: map.target(full),
    usedBy: image.usedBy,
    ...(image.optional === undefined ? {} : { optional: image.optional }),
    ...(floating ? { floating } : {}),
  };
}

/** A mirror keeps what a moving tag meant on the day of copying: the two drift apart without anybody changing a version. */
function movingProblems(images: readonly PlannedImage[]): Problem[] {
  const moving = images.filter(
    ({ floating, upstream, image }) => floating === true && image !== upstream,
  );
  if (moving.length === 0) return [];
  return [
    {
      code: "images-moving-tag",
      level: "warn",
      where: "kserve:registry",
      found: moving
        .map(({ upstream, optional }) => `${upstream} (${optional ?? "always needed"})`)
        .join(", "),
      allowed: "tags that stay what they are, or digests",
      fix: "record what they mean today with `platform lock`, and mirror that digest under the tag",
    },
  ];
}
