import { join } from "node:path";
import type { Settings } from "../config/schema.ts";
import type { CatalogChart, CatalogManifest, ChartRole, Release } from "../versions/schema.ts";
import type { ChartLocation, PlannedChart, PlannedManifest, Values } from "./plan.ts";

/** Where a chart is taken from, by the stack's chart source. */
export function locateChart(chart: CatalogChart, charts: Settings["charts"]): ChartLocation {
  switch (charts.source) {
    case "upstream":
      return chart.repository.startsWith("oci://")
        ? { chart: `${chart.repository}/${chart.name}`, version: chart.version }
        : { chart: chart.name, version: chart.version, repo: chart.repository };
    case "oci":
      return {
        chart: `${charts.url}/${chart.name}`,
        version: chart.version,
        plainHttp: charts.plainHttp,
      };
    case "http":
      return { chart: chart.name, version: chart.version, repo: charts.url };
    case "directory":
      return { chart: join(charts.path, `${chart.name}-${chart.version.replace(/^v/, "")}`) };
  }
}

/** Where a published file of manifests is taken from. */
export function locateManifest(
  manifest: CatalogManifest,
  charts: Settings["charts"],
): PlannedManifest {
  return { file: manifest.file, location: manifestLocation(manifest, charts) };
}

function manifestLocation(manifest: CatalogManifest, charts: Settings["charts"]): string {
  switch (charts.source) {
    case "upstream":
      return manifest.url;
    case "directory":
      return join(charts.path, manifest.file);
    case "oci":
      return below(charts.manifests, manifest.file);
    case "http":
      return below(charts.manifests ?? charts.url, manifest.file);
  }
}

function below(base: string, file: string): string {
  return /^https?:/.test(base) ? `${base.replace(/\/+$/, "")}/${file}` : join(base, file);
}

/** A chart of a release as it will be placed. */
export function plannedChart(
  release: Release,
  role: ChartRole,
  values: Values,
  settings: Settings,
): PlannedChart {
  const chart = findChart(release, role);
  return {
    role,
    name: chart.name,
    version: chart.version,
    location: locateChart(chart, settings.charts),
    values,
    leaveOut: chart.leaveOut,
  };
}

/** The full chart of a role; variants (KServe's minimal CRDs) stand beside it and are asked for by name. */
function findChart(release: Release, role: ChartRole): CatalogChart {
  const chart = release.charts.find((item) => item.role === role && item.variantOf === undefined);
  if (chart === undefined)
    throw new Error(
      `the catalog entry of ${release.product} ${release.version} has no chart with the role ${role}`,
    );
  return chart;
}
