import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";

/**
 * A floor for all of Knative says nothing to KServe: it writes one into every service that it makes, 1 where the
 * InferenceService or InferenceGraph names none, and no setting of KServe changes that.
 */
export function checkAutoscaling(settings: Settings): Problem[] {
  const { minScale } = settings.knative.autoscaling;
  if (settings.mode !== "Serverless" || minScale === undefined) return [];
  return [
    {
      code: "config-without-effect",
      level: "warn",
      where: "kserve:knative.autoscaling.minScale",
      found: `${String(minScale)}, which no InferenceService follows: KServe writes a minimum into each, 1 where it names none`,
      allowed: `minReplicas in the InferenceService itself; this key reaches Knative Services that are not KServe's${minScale === 0 ? ", where 0 is the default" : ""}`,
      source: "kserve/kserve@v0.20.0:pkg/controller/v1alpha1/utils/utils.go",
      fix: `write minReplicas: ${String(minScale)} below spec.predictor (spec.transformer, spec.explainer) of each InferenceService that is meant, and remove kserve:knative.autoscaling.minScale`,
    },
  ];
}
