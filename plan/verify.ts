import type { Mode, Settings } from "../config/schema.ts";
import { ImageMap } from "../images/image-map.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { CatalogChart, Release } from "../versions/schema.ts";
import { resolveIngress } from "./ingress.ts";
import { planLayers } from "./layers.ts";
import type { Values } from "./plan.ts";
import { neededProducts } from "./selection.ts";
import { atPath, mergeValues } from "./values/merge.ts";

/** A catalog chart with the sets of values under which, together, it shows everything that it can install. */
export interface ChartToVerify {
  readonly chart: CatalogChart;
  readonly values: readonly Values[];
}

/**
 * The charts of a release, each with the values that a plan gives it in every mode, and once more with everything
 * optional switched on. Charts that no plan places yet are taken with their own defaults. Rules are not asked: the
 * release under test may be one that fits nothing else.
 */
export function chartsToVerify(
  release: Release,
  settings: readonly Settings[],
  catalog: Catalog,
): ChartToVerify[] {
  return release.charts.map((chart) => {
    const planned = settings.flatMap((item) => valuesOf(chart, release, item, catalog));
    const base = planned.length === 0 ? [{}] : planned;
    return { chart, values: distinct([...base, ...switchedOn(chart, release, base[0] ?? {})]) };
  });
}

function valuesOf(
  chart: CatalogChart,
  release: Release,
  settings: Settings,
  catalog: Catalog,
): Values[] {
  const ingress = resolveIngress(settings, catalog);
  const versions = versionsAround(release, settings, catalog);
  const layers = planLayers({
    settings,
    selection: { versions, mode: settings.mode, ingress: ingress.type },
    ingress,
    catalog,
    map: new ImageMap([], undefined),
    pullSecret: undefined,
  });
  return layers
    .flatMap((layer) => layer.charts)
    .filter(({ name, version }) => name === chart.name && version === chart.version)
    .map(({ values }) => values);
}

/** The default set with the release under test in its place; an operator takes a Serving version that it carries. */
function versionsAround(
  release: Release,
  settings: Settings,
  catalog: Catalog,
): Readonly<Record<string, string>> {
  const needed = neededProducts(settings, resolveIngress(settings, catalog));
  const { kserve, istio, ...set } = catalog.defaultSet;
  const all: Record<string, string> = {
    kserve,
    istio,
    "cert-manager": set["cert-manager"],
    "gateway-api": set["gateway-api"],
    "envoy-gateway": set["envoy-gateway"] ?? "",
    "knative-operator": set["knative-operator"],
    "knative-serving": set["knative-serving"],
    [release.product]: release.version,
  };
  if (release.product === "knative-operator") {
    const carried = Object.values(release.carries).map(({ newest }) => newest);
    const listed = carried.findLast((version) => catalog.find("knative-serving", version));
    if (listed !== undefined) all["knative-serving"] = listed;
  }
  return Object.fromEntries(
    Object.entries(all).filter(([product]) => (needed as ReadonlySet<string>).has(product)),
  );
}

function switchedOn(chart: CatalogChart, release: Release, base: Values): Values[] {
  const paths = release.images.flatMap((image) =>
    image.chart === chart.role && image.enabledBy !== undefined ? [image.enabledBy] : [],
  );
  if (paths.length === 0) return [];
  return [mergeValues(base, ...[...new Set(paths)].map((path) => atPath(path, true)))];
}

function distinct(values: readonly Values[]): Values[] {
  return [...new Map(values.map((item) => [JSON.stringify(item), item])).values()];
}

/** Modes that a plan knows in a release of KServe; other products are the same in all. */
export function modesOf(release: Release, modes: readonly Mode[]): Mode[] {
  if (release.product !== "kserve") return [...modes];
  return modes.filter((mode) => release.modes.spelling[mode] !== undefined);
}
