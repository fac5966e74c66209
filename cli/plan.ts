import type { Command } from "commander";
import type { Plan, PlannedLayer } from "../plan/plan.ts";
import type { Finish } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";
import { requirePlan } from "./stack.ts";
import { renderTable } from "./table.ts";

interface Options {
  readonly kubernetes?: string;
  readonly json?: boolean;
}

/** `platform plan`: what a stack is going to install, in order. */
export function addPlan(program: Command, finish: Finish): void {
  program
    .command("plan")
    .description("show the layers of a stack in install order: releases, charts, namespaces")
    .argument("<stack>", "stack name (online) or path of a stack file")
    .option(
      "--kubernetes <version>",
      "Kubernetes version to assume where the stack file names none",
    )
    .option("--json", "print the whole plan as JSON, chart values included")
    .action(async (stack: string, options: Options) => {
      const plan = await requirePlan(stack, options.kubernetes);
      if (plan === undefined) return finish(ExitCode.Problems);
      process.stdout.write(
        `${options.json === true ? JSON.stringify(planAsJson(plan), null, 2) : planAsTable(plan)}\n`,
      );
    });
}

/** The plan as plain data; secrets print as `[secret]`. */
export function planAsJson(plan: Plan): object {
  const { selection, ingress, layers, images, knativeServing } = plan;
  return {
    ...selection,
    ingress,
    layers,
    images,
    ...(knativeServing === undefined ? {} : { knativeServing }),
  };
}

/** The plan as a table. */
export function planAsTable(plan: Plan): string {
  const { mode, versions } = plan.selection;
  const title = `${mode ?? ""} with ingress ${plan.ingress.type}, Kubernetes ${versions.kubernetes ?? "asked from the cluster"}`;
  const rows = plan.layers.map((layer, index) => row(layer, index + 1));
  return `${title}\n\n${renderTable(["#", "LAYER", "RELEASE", "NAMESPACES", "CHARTS AND FILES", "AFTER"], rows)}`;
}

function row(layer: PlannedLayer, index: number): string[] {
  const charts = layer.charts.map((chart) => `${chart.name} ${chart.version}`);
  const files = layer.manifests.map((manifest) => manifest.file);
  return [
    String(index),
    layer.name,
    `${layer.product} ${layer.version}`,
    layer.namespaces.join(", "),
    [...charts, ...files].join(", "),
    layer.dependsOn.length === 0 ? "-" : layer.dependsOn.join(", "),
  ];
}
