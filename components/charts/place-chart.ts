import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Chart } from "@pulumi/kubernetes/helm/v4/chart.js";
import * as pulumi from "@pulumi/pulumi";
import { PROJECT_ROOT } from "../../config/project-root.ts";
import type { Settings } from "../../config/schema.ts";
import type { PlannedChart } from "../../plan/plan.ts";
import type { LayerArgs } from "../layer.ts";
import { namePullSecret } from "../pull-secrets.ts";
import {
  combine,
  comeAfter,
  deleteInBackground,
  dropAggregatedRules,
  dropOrder,
  mirrorImages,
  skipAwait,
} from "../transforms.ts";
import type { ObjectTransform, Whole } from "../transforms.ts";

const ARRANGE = join(import.meta.dirname, "arrange.mjs");

/** What every placement of a chart says. */
interface Placement {
  /** Logical name; also the prefix of the names of everything inside. */
  readonly name: string;
  readonly chart: PlannedChart;
  readonly namespace: string;
}

/** A chart as the provider is asked for it, with nothing added. */
export interface ChartRendering extends Placement {
  /** Leave out the chart's `crds/` folder, subcharts included. */
  readonly skipCrds?: boolean;
  readonly postRenderer?: { readonly command: string; readonly args: string[] };
  readonly transforms: readonly pulumi.ResourceTransform[];
}

/** How one chart is placed inside a layer. */
export interface ChartPlacement extends Placement {
  /** Place only these kinds of the chart, or all others. */
  readonly kinds?: { readonly only: readonly string[] } | { readonly except: readonly string[] };
  /** Leave out the chart's `crds/` folder, subcharts included. */
  readonly skipCrds?: boolean;
  readonly transforms?: readonly ObjectTransform[];
  /** What every object of the chart comes after. The chart itself is rendered meanwhile: that needs nothing. */
  readonly dependsOn?: readonly Whole[];
}

/**
 * Places a chart as a component whose objects are resources of their own: visible in preview, diff and policies. Inside
 * it, workloads come after what they may read, and webhook configurations after the workloads (order.mjs). Nothing in it
 * is waited for: what the chart has to do is, by `placeReadyChart`.
 */
export function placeChart(
  parent: pulumi.ComponentResource,
  args: LayerArgs,
  placement: ChartPlacement,
): Chart {
  const { name, chart, namespace, skipCrds, dependsOn } = placement;
  const { pullSecret } = args.plan;
  return renderChart(parent, args, {
    name,
    chart,
    namespace,
    postRenderer: { command: process.execPath, args: [ARRANGE, ...arrangement(placement)] },
    ...(skipCrds === undefined ? {} : { skipCrds }),
    transforms: [
      combine([
        mirrorImages(args.plan.imageMap),
        ...(pullSecret === undefined ? [] : [namePullSecret(pullSecret)]),
        dropOrder,
        dropAggregatedRules,
        skipAwait,
        deleteInBackground,
        ...(dependsOn === undefined ? [] : [comeAfter(dependsOn)]),
        ...(placement.transforms ?? []),
      ]),
    ],
  });
}

/** A chart from the stack's chart source, with exactly the given transforms. */
export function renderChart(
  parent: pulumi.ComponentResource,
  args: Pick<LayerArgs, "plan" | "providers">,
  rendering: ChartRendering,
): Chart {
  const { name, chart, namespace, postRenderer, skipCrds } = rendering;
  const { plainHttp } = chart.location;
  return new Chart(
    name,
    {
      name: chart.name,
      namespace,
      ...chartSource(chart, args.plan.settings.charts),
      ...(plainHttp === undefined ? {} : { plainHttp }),
      values: chart.values,
      resourcePrefix: name,
      ...(skipCrds === undefined ? {} : { skipCrds }),
      ...(postRenderer === undefined ? {} : { postRenderer }),
    },
    {
      parent,
      provider: args.providers.cluster,
      transforms: [...rendering.transforms],
    },
  );
}

/** Chart, version and repository in the form that `helm.v4.Chart` and `helm.v3.Release` share, but for the CA. */
interface ChartSource<Ca> {
  readonly chart: string;
  readonly version?: string;
  readonly repositoryOpts?: {
    readonly repo?: string;
    readonly username?: string;
    readonly password?: pulumi.Output<string>;
    readonly caFile?: Ca;
  };
}

/** Where a rendered chart comes from. Its CA is an asset: the file itself, wherever the provider runs. */
export function chartSource(
  chart: PlannedChart,
  charts: Settings["charts"],
): ChartSource<pulumi.asset.FileAsset> {
  return sourceOf(chart, charts, (path) => new pulumi.asset.FileAsset(path));
}

/** Where the chart of a Helm release comes from. Its CA is a path, and counts for OCI only with credentials. */
export function releaseSource(
  chart: PlannedChart,
  charts: Settings["charts"],
): ChartSource<string> {
  return sourceOf(chart, charts, (path) => path);
}

function sourceOf<Ca>(
  { location }: PlannedChart,
  charts: Settings["charts"],
  ca: (path: string) => Ca,
): ChartSource<Ca> {
  if (location.version === undefined) return { chart: existingPath(location.chart) };
  const caFile = "caFile" in charts ? charts.caFile : undefined;
  const repositoryOpts = {
    ...(location.repo === undefined ? {} : { repo: location.repo }),
    ...credentials(charts),
    ...(caFile === undefined ? {} : { caFile: ca(resolve(PROJECT_ROOT, caFile)) }),
  };
  return {
    chart: location.chart,
    version: location.version,
    ...(Object.keys(repositoryOpts).length === 0 ? {} : { repositoryOpts }),
  };
}

function credentials(charts: Settings["charts"]): {
  username?: string;
  password?: pulumi.Output<string>;
} {
  if (!("username" in charts) || charts.username === undefined || charts.password === undefined)
    return {};
  return { username: charts.username, password: pulumi.secret(charts.password.reveal()) };
}

/** A folder or an archive of that name; a directory source may hold either. */
function existingPath(path: string): string {
  const absolute = resolve(PROJECT_ROOT, path);
  return existsSync(absolute) ? absolute : `${absolute}.tgz`;
}

/** What the post-renderer is told. */
function arrangement({ kinds, chart, namespace }: ChartPlacement): string[] {
  const { leaveOut } = chart;
  return [
    ...(kinds === undefined
      ? []
      : "only" in kinds
        ? ["--only", kinds.only.join(",")]
        : ["--except", kinds.except.join(",")]),
    ...(leaveOut.length === 0 ? [] : ["--leave-out", leaveOut.join(",")]),
    "--namespace",
    namespace,
  ];
}
