import type { ChartRole, Release } from "../versions/schema.ts";
import type { PlannedChart, PlannedCrds, PlannedLayer } from "./plan.ts";

/** Roles of charts that carry CRDs, alone or beside other things. cert-manager has no chart but its controller's. */
const CRD_ROLES: ReadonlySet<ChartRole> = new Set([
  "crds",
  "base",
  "operator",
  "llm-crds",
  "local-model-crds",
]);

/** The CRDs of a layer, by the charts and files that they come out of. */
export function crdsOf(
  layer: Pick<PlannedLayer, "namespaces" | "charts" | "manifests">,
  release: Release,
): PlannedCrds[] {
  const [namespace = "default"] = layer.namespaces;
  const fromCharts = layer.charts
    .filter((chart) => carriesCrds(chart, release))
    .map((chart) => ({
      name: chart.name,
      namespace,
      source: "chart" as const,
      chart: withCrds(chart, release),
    }));
  const fromFiles = layer.manifests.map((manifest) => ({
    name: release.product,
    namespace,
    source: "manifest" as const,
    manifest,
  }));
  return [...fromCharts, ...fromFiles];
}

function carriesCrds(chart: PlannedChart, release: Release): boolean {
  return (
    CRD_ROLES.has(chart.role) || release.product === "cert-manager" || bringsSome(chart, release)
  );
}

/** A chart of other things that brings definitions too, unless the plan leaves all of them out. */
function bringsSome({ role, leaveOut }: PlannedChart, release: Release): boolean {
  return (release.crds?.items ?? []).some(
    (item) => item.chart === role && !leaveOut.includes(`CustomResourceDefinition/${item.name}`),
  );
}

/** The same chart with the values that make it render its definitions, where it does not by itself. */
function withCrds(chart: PlannedChart, release: Release): PlannedChart {
  const values = release.crds?.values;
  return values === undefined ? chart : { ...chart, values };
}
