import { stat } from "node:fs/promises";
import { resolve as resolvePath } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { FEATURE_KEYS } from "../config/features.ts";
import { parseSettings } from "../config/parse.ts";
import { MODES } from "../config/schema.ts";
import type { Settings } from "../config/schema.ts";
import { findGaps, findUnmirrored } from "../images/completeness.ts";
import type { Finding, RenderedChart } from "../images/completeness.ts";
import { supportedFeatures } from "../plan/features.ts";
import { chartsToVerify, modesOf } from "../plan/verify.ts";
import type { ChartToVerify } from "../plan/verify.ts";
import { loadCatalog } from "../versions/catalog.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { Release } from "../versions/schema.ts";
import { findCharts } from "../bundle/chart-folder.ts";
import type { FoundChart } from "../bundle/chart-folder.ts";
import type { Finish } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";
import { findHelm, renderChart } from "./helm.ts";

/** Kubernetes that charts are rendered for unless told otherwise: inside the window of every release listed. */
export const KUBERNETES = "1.34.0";

interface Options {
  readonly charts: string;
  readonly kserve?: string;
  readonly kubernetes: string;
  readonly json?: boolean;
}

/** What comparing one release with its charts came to. */
export interface ReleaseReport {
  readonly product: string;
  readonly version: string;
  readonly charts: readonly string[];
  /** Charts of the release that the folder does not hold. */
  readonly missing: readonly string[];
  readonly findings: readonly Finding[];
  /** Charts that helm refused, with its words. */
  readonly failures: readonly string[];
}

/** `platform verify-charts`: published charts against the catalog's image lists, in both directions. */
export function addVerifyCharts(program: Command, finish: Finish): void {
  program
    .command("verify-charts")
    .description("render the charts in a folder and compare the images in them with the catalog")
    .requiredOption("--charts <folder>", "folder of charts, unpacked or .tgz")
    .option("--kserve <version>", "only this KServe release and what its version set names")
    .option("--kubernetes <version>", "Kubernetes version to render for", KUBERNETES)
    .option("--json", "print the result as JSON")
    .action(async (options: Options) => {
      finish(await verifyCharts(options));
    });
}

async function verifyCharts(options: Options): Promise<number> {
  const catalog = loadCatalog();
  const folder = resolvePath(options.charts);
  const helm = await findHelm();
  const trouble = await preconditions(folder, helm, options.kserve, catalog);
  if (trouble !== undefined || helm === undefined) {
    process.stderr.write(`${trouble ?? ""}\n`);
    return ExitCode.WrongUse;
  }
  const releases = wantedReleases(catalog, options.kserve);
  const work = { helm, kubernetes: options.kubernetes, catalog, found: await findCharts(folder) };
  const reports: ReleaseReport[] = [];
  for (const release of releases) {
    const report = await verifyRelease(release, work);
    if (report.charts.length > 0) reports.push(report);
  }
  process.stdout.write(
    options.json === true ? `${JSON.stringify(reports, null, 2)}\n` : reportText(reports),
  );
  if (!holdsAsked(reports, options.kserve))
    process.stderr.write(`${nothingFound(folder, options.kserve)}\n`);
  return outcome(reports, options.kserve);
}

function outcome(reports: readonly ReleaseReport[], kserve: string | undefined): number {
  const clean = reports.every(
    ({ findings, failures }) => findings.length === 0 && failures.length === 0,
  );
  return holdsAsked(reports, kserve) && clean ? ExitCode.Fine : ExitCode.Problems;
}

/** False when nothing at all was compared, or not the release that was asked for. */
function holdsAsked(reports: readonly ReleaseReport[], kserve: string | undefined): boolean {
  return reports.some(
    ({ product, version }) => kserve === undefined || (product === "kserve" && version === kserve),
  );
}

function nothingFound(folder: string, kserve: string | undefined): string {
  const what = kserve === undefined ? "any release" : `KServe ${kserve}`;
  return `[verify-charts-missing] --charts\n  found:   no chart of ${what} in ${folder}\n  allowed: charts named and versioned in Chart.yaml as the catalog lists them\n  to do:   fetch them with \`helm pull\`; platform plan names them`;
}

async function preconditions(
  folder: string,
  helm: string | undefined,
  kserve: string | undefined,
  catalog: Catalog,
): Promise<string | undefined> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    return `[verify-charts-folder] --charts\n  found:   ${folder}\n  allowed: a folder that exists\n  to do:   fill it with \`helm pull\`, one chart per folder or .tgz`;
  }
  if (kserve !== undefined && catalog.find("kserve", kserve) === undefined) {
    return `[verify-charts-release] --kserve\n  found:   ${kserve}\n  allowed: ${catalog.versions("kserve").join(", ")}\n  to do:   choose one of them`;
  }
  if (helm !== undefined) return undefined;
  return "[verify-charts-helm] helm\n  found:   none on PATH, none in the sandbox's cache\n  allowed: helm 3\n  to do:   install helm, or let the sandbox fetch it: platform sandbox up";
}

function wantedReleases(catalog: Catalog, kserve: string | undefined): Release[] {
  const releases = catalog.releases().filter((release) => release.charts.length > 0);
  if (kserve === undefined) return releases;
  const set: Readonly<Record<string, unknown>> = {
    ...catalog.sets.find((item) => item.kserve === kserve),
    kserve,
  };
  return releases.filter(({ product, version }) => set[product] === version);
}

interface Work {
  readonly helm: string;
  readonly kubernetes: string;
  readonly catalog: Catalog;
  readonly found: readonly FoundChart[];
}

/** Renders the charts of a release that are at hand and compares them with its images. */
export async function verifyRelease(release: Release, work: Work): Promise<ReleaseReport> {
  const present: { chart: ChartToVerify; path: string }[] = [];
  const missing: string[] = [];
  for (const chart of chartsToVerify(release, settingsFor(release), work.catalog)) {
    const version = chart.chart.version.replace(/^v/, "");
    const found = work.found.find(
      (item) => item.name === chart.chart.name && item.version === version,
    );
    if (found === undefined) missing.push(chart.chart.name);
    else present.push({ chart, path: found.path });
  }
  const rendered: RenderedChart[] = [];
  const failures: string[] = [];
  for (const { chart, path } of present) {
    const { role, name } = chart.chart;
    const objects: unknown[] = [];
    for (const values of chart.values) {
      try {
        objects.push(...(await renderPlaced({ ...work, chart: path, values }, chart.chart)));
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message}`);
      }
    }
    rendered.push({ role, name, objects });
  }
  const gaps = findGaps(release.images, rendered);
  // What the catalog does not know cannot be mirrored; saying it once is enough.
  const unknown = new Set(gaps.map(({ image }) => image));
  const unmirrored = findUnmirrored(release.images, rendered).filter(
    ({ image }) => !unknown.has(image),
  );
  return {
    product: release.product,
    version: release.version,
    charts: present.map(({ chart }) => chart.chart.name),
    missing,
    findings: [...gaps, ...unmirrored],
    failures,
  };
}

function settingsFor(release: Release): Settings[] {
  // Envoy Gateway is in a plan only where a stack asks for it.
  const choices =
    release.product === "envoy-gateway"
      ? [{ mode: "RawDeployment", ingress: { type: "envoy" } }]
      : modesOf(release, MODES).map((mode) => ({ mode }));
  return choices.flatMap((choice) =>
    featureChoices(release).flatMap(
      (features) => parseSettings({ ...choice, features }).settings ?? [],
    ),
  );
}

/** Everything that a release can be asked for, and nothing of it. */
function featureChoices(release: Release): Record<string, boolean>[] {
  const features = release.product === "kserve" ? supportedFeatures(release) : [];
  const all = features.map((feature) => [FEATURE_KEYS[feature].replace("features.", ""), true]);
  return [{}, Object.fromEntries(all) as Record<string, boolean>];
}

/** A chart's objects without those that no plan places. */
async function renderPlaced(
  how: Parameters<typeof renderChart>[0],
  { leaveOut }: ChartToVerify["chart"],
): Promise<unknown[]> {
  return (await renderChart(how)).filter((object) => {
    const { kind, metadata } = object as { kind?: string; metadata?: { name?: string } };
    return !leaveOut.includes(`${kind ?? ""}/${metadata?.name ?? ""}`);
  });
}

function reportText(reports: readonly ReleaseReport[]): string {
  if (reports.length === 0) return "";
  const lines = reports.flatMap((report) => [headline(report), ...details(report)]);
  return `${lines.join("\n")}\n`;
}

function headline({
  product,
  version,
  charts,
  missing,
  findings,
  failures,
}: ReleaseReport): string {
  const bad = findings.length + failures.length;
  const verdict = bad === 0 ? pc.green("complete") : pc.red(`${String(bad)} to settle`);
  const absent = missing.length === 0 ? "" : ` (not at hand: ${missing.join(", ")})`;
  return `${product} ${version}: ${verdict}: ${charts.join(", ")}${absent}`;
}

const VERDICTS: Readonly<Record<Finding["kind"], string>> = {
  unknown: "not in the catalog:   ",
  unused: "not in the chart:     ",
  unmirrored: "not mirrored:         ",
};

function details({ findings, failures }: ReleaseReport): string[] {
  return [
    ...findings.map(
      ({ kind, chart, image, at }) => `  ${VERDICTS[kind]}${image}  (${chart}: ${at})`,
    ),
    ...failures.map((failure) => `  not rendered:         ${failure}`),
  ];
}
