import type * as pulumi from "@pulumi/pulumi";
import { findChart } from "../../plan/plan.ts";
import { childOf } from "../layer.ts";
import { patchDefaultAccount } from "../model-namespaces.ts";
import { placeReadyChart } from "../readiness/ready-chart.ts";
import type { KServeStep } from "./step.ts";

/**
 * The local model cache: its controller and the agent on the nodes, where the release has a chart of its own for them
 * (up to 0.16 they are part of KServe's controller chart), and the account of the jobs that download models. The
 * namespace of those jobs is one of the layer's. Nothing without `features.localModel`.
 *
 * Needs KServe's controller before it, which owns the issuer of its certificate.
 */
export function installLocalModel(step: KServeStep, controller: pulumi.Stash): void {
  const { localModel } = step.release;
  if (localModel === undefined || !step.plan.settings.features.localModel) return;
  // The jobs name no pull secret and run as `default`
  // (kserve/kserve@v0.20.0:pkg/controller/v1alpha1/localmodelnode/controller.go).
  const { pullSecret } = step.plan;
  if (pullSecret !== undefined)
    patchDefaultAccount(localModel.jobNamespace, pullSecret, childOf(step.parent, step.providers));
  const chart = findChart(step.layer, "local-model");
  if (chart === undefined) return;
  placeReadyChart(step.parent, step, {
    name: `${step.name}-local-model`,
    chart,
    namespace: step.plan.settings.namespaces.kserve,
    dependsOn: [controller],
  });
}
