import { join } from "node:path";
import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import type { CatalogChart, CatalogManifest, ChartRole, Release } from "../versions/schema.ts";
import type { ChartLocation, PlannedChart, PlannedManifest, Values } from "./plan.ts";

type Charts = Settings["charts"];

/** Where a chart is taken from, by the stack's chart source. */
export function locateChart(chart: CatalogChart, charts: Charts): ChartLocation {
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
      return { chart: inFolder(charts.path, chart) };
  }
}

/**
 * Where the chart of a Helm release (cert-manager's) is taken from. A release asks OCI registries over TLS only, and
 * takes a CA into account only together with credentials; where that is not enough, its chart comes as a file from the
 * folder of the CRD files (pulumi/pulumi-kubernetes@v4.32.0:provider/pkg/provider/helm_release.go, getChart).
 */
export function locateReleaseChart(chart: CatalogChart, charts: Charts): ChartLocation {
  return charts.source === "oci" && releaseObstacle(charts) !== undefined
    ? { chart: inFolder(charts.manifests, chart) }
    : locateChart(chart, charts);
}

/** Where a published file of manifests is taken from. */
export function locateManifest(manifest: CatalogManifest, charts: Charts): PlannedManifest {
  return { file: manifest.file, location: manifestLocation(manifest, charts) };
}

/**
 * True when a release's chart is a file in the folder of the CRD files although the source is a registry: whoever
 * carries charts in has to put it there, too.
 */
export function releaseChartIsFile(charts: Charts): boolean {
  return charts.source === "oci" && releaseObstacle(charts) !== undefined;
}

/** What the provider cannot fetch from the stack's chart source. */
export function checkCharts(charts: Charts): Problem[] {
  if (charts.source !== "oci" || !isAddress(charts.manifests)) return [];
  const obstacle = releaseObstacle(charts);
  if (obstacle === undefined) return [];
  return [
    {
      code: "charts-release-oci",
      level: "block",
      where: "kserve:charts",
      found: `an OCI registry ${obstacle.found}, and ${charts.manifests} for files`,
      allowed: `for the Helm release of cert-manager: ${obstacle.allowed}, or its chart as a file`,
      source: "pulumi/pulumi-kubernetes@v4.32.0:provider/pkg/provider/helm_release.go",
      fix: `put cert-manager's chart into a folder with the CRD files and set kserve:charts.manifests to it; or ${obstacle.fix}`,
    },
  ];
}

interface Obstacle {
  readonly found: string;
  readonly allowed: string;
  readonly fix: string;
}

function releaseObstacle(charts: Extract<Charts, { source: "oci" }>): Obstacle | undefined {
  if (charts.plainHttp)
    return {
      found: "over plain http",
      allowed: "TLS",
      fix: "take all charts from a folder (source: directory)",
    };
  if (charts.caFile !== undefined && charts.username === undefined)
    return {
      found: "with a private CA and without credentials",
      allowed: "a CA only together with credentials",
      fix: "set kserve:charts.username and password, or remove caFile and run pulumi with SSL_CERT_FILE",
    };
  return undefined;
}

function manifestLocation(manifest: CatalogManifest, charts: Charts): string {
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

function inFolder(folder: string, chart: CatalogChart): string {
  return join(folder, `${chart.name}-${chart.version.replace(/^v/, "")}`);
}

function below(base: string, file: string): string {
  return isAddress(base) ? `${base.replace(/\/+$/, "")}/${file}` : join(base, file);
}

function isAddress(text: string): boolean {
  return /^https?:/.test(text);
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
    // cert-manager's package makes a Helm release; every other chart is rendered.
    location:
      release.product === "cert-manager"
        ? locateReleaseChart(chart, settings.charts)
        : locateChart(chart, settings.charts),
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
