import { featuresOf } from "../config/features.ts";
import type { Settings } from "../config/schema.ts";
import type { Release, ReleaseOf } from "../versions/schema.ts";
import { plannedChart } from "./charts.ts";
import type { PlannedChart } from "./plan.ts";
import { kserveRuntimeValues, kserveValues, llmValues, localModelValues } from "./values/kserve.ts";
import type { KServeContext } from "./values/kserve.ts";

type KServe = ReleaseOf<"kserve">;

/** KServe's charts in install order: definitions first, then controllers, then what their webhooks judge. */
export function kserveCharts(
  release: KServe,
  settings: Settings,
  context: KServeContext,
): PlannedChart[] {
  const features = featuresOf(settings);
  const llm = features.includes("llm") && release.llm !== undefined;
  const localModel = features.includes("local-model") && hasLocalModelChart(release);
  const plan = (role: PlannedChart["role"], values: PlannedChart["values"] = {}): PlannedChart =>
    plannedChart(release, role, values, settings);
  return [
    plan("crds"),
    ...(llm ? [plan("llm-crds")] : []),
    ...(localModel ? [plan("local-model-crds")] : []),
    plan("controller", kserveValues(release, settings, context)),
    ...(llm
      ? [llmChart(plan("llm", llmValues(release, settings, context)), release, settings)]
      : []),
    ...(localModel ? [plan("local-model", localModelValues(settings))] : []),
    ...(release.runtimes.chart === "runtimes"
      ? [plan("runtimes", kserveRuntimeValues(release, settings))]
      : []),
  ];
}

/** Namespaces beside KServe's own in which it runs jobs. */
export function jobNamespaces(release: Release, settings: Settings): string[] {
  if (release.product !== "kserve" || release.localModel === undefined) return [];
  return featuresOf(settings).includes("local-model") ? [release.localModel.jobNamespace] : [];
}

/** Definitions that the LLM chart brings for the Gateway API Inference Extension. */
export function inferenceExtensionCrds(release: KServe): readonly string[] {
  return (release.crds?.items ?? []).filter(({ chart }) => chart === "llm").map(({ name }) => name);
}

/** Leaving them out ourselves works in every release; the chart's own value exists from 0.19 on. */
function llmChart(chart: PlannedChart, release: KServe, settings: Settings): PlannedChart {
  if (settings.features.llm?.createGIECRDs !== false) return chart;
  const crds = inferenceExtensionCrds(release).map((name) => `CustomResourceDefinition/${name}`);
  return { ...chart, leaveOut: [...chart.leaveOut, ...crds] };
}

function hasLocalModelChart(release: KServe): boolean {
  return release.localModel?.chart === "local-model";
}
