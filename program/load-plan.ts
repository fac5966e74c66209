import * as pulumi from "@pulumi/pulumi";
import { discoverKubernetes } from "../config/discover.ts";
import { readPulumiConfig } from "../config/pulumi-config.ts";
import type { Settings } from "../config/schema.ts";
import { resolve } from "../plan/resolve.ts";
import type { Plan } from "../plan/plan.ts";
import { formatProblem, passes } from "../problems/problem.ts";
import { StackError } from "../problems/run-error.ts";
import type { Catalog } from "../versions/catalog.ts";

/**
 * The plan of the running stack. Everything that is wrong ends the run here, before any resource is registered;
 * warnings and acknowledged rules are shown in every preview.
 */
export async function loadPlan(catalog: Catalog): Promise<Plan> {
  const file = `Pulumi.${pulumi.getStack()}.yaml`;
  const parsed = readPulumiConfig();
  if (parsed.settings === undefined) throw new StackError(parsed.problems, file);
  const settings = await withKubernetesVersion(parsed.settings, file);
  const { plan, problems } = resolve(settings, catalog);
  if (plan === undefined || !passes(problems)) throw new StackError(problems, file);
  for (const problem of problems) await pulumi.log.warn(formatProblem(problem, file));
  return plan;
}

async function withKubernetesVersion(settings: Settings, file: string): Promise<Settings> {
  if (settings.kubernetes.version !== undefined) return settings;
  const discovery = await discoverKubernetes(settings);
  if ("problem" in discovery) throw new StackError([discovery.problem], file);
  return { ...settings, kubernetes: { ...settings.kubernetes, version: discovery.version } };
}
