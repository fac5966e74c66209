import type * as pulumi from "@pulumi/pulumi";
import { findChart, getChart } from "../../plan/plan.ts";
import { placeChart } from "../charts/place-chart.ts";
import { placeReadyChart } from "../readiness/ready-chart.ts";
import type { KServeStep } from "./step.ts";

/** Presets of LLMInferenceService; the LLM controller's webhook judges them. */
export const PRESET_KIND = "LLMInferenceServiceConfig";

/**
 * The controller of LLMInferenceService, then its presets. The presets wait until its webhooks answer; on destroy they go first, while somebody still serves their finalizer. Nothing without `features.llm`.
 *
 * Needs its definitions, those of the Gateway API Inference Extension among them (its chart brings some, which go in with
 * everybody's), and KServe's controller before it, which owns the configuration and the issuer that both use.
 */
export function installLlm(step: KServeStep, controller: pulumi.Stash): void {
  const { llm } = step.release;
  const chart = findChart(step.layer, "llm");
  if (chart === undefined || llm === undefined) return;
  const { name, plan, layer } = step;
  const namespace = plan.settings.namespaces.kserve;
  const llmController = placeReadyChart(step.parent, step, {
    name: `${name}-llm`,
    chart,
    namespace,
    kinds: { except: [PRESET_KIND, "CustomResourceDefinition"] },
    dependsOn: [controller],
  });
  placeChart(step.parent, step, {
    name: `${name}-llm-presets`,
    chart: getChart(layer, llm.presets.chart),
    namespace,
    kinds: { only: [PRESET_KIND] },
    dependsOn: [llmController],
  });
}
