import { existsSync } from "node:fs";
import { join, resolve as resolvePath } from "node:path";
import { readStackFile } from "../config/stack-file.ts";
import type { Settings } from "../config/schema.ts";
import { resolve } from "../plan/resolve.ts";
import type { Plan } from "../plan/plan.ts";
import type { Problem } from "../problems/problem.ts";
import { formatProblems, passes } from "../problems/problem.ts";
import { loadCatalog } from "../versions/catalog.ts";

const PROJECT_ROOT = resolvePath(import.meta.dirname, "..");

/** A stack file, resolved as far as its mistakes allow. */
export interface ResolvedStack {
  readonly file: string;
  readonly plan?: Plan;
  readonly problems: readonly Problem[];
}

/** `online` names `Pulumi.online.yaml` of this project; anything with a dot or slash is a path. */
export function stackFile(stack: string): string {
  if (existsSync(stack) && /[./]/.test(stack)) return resolvePath(stack);
  return /[/]|\.ya?ml$/.test(stack)
    ? resolvePath(stack)
    : join(PROJECT_ROOT, `Pulumi.${stack}.yaml`);
}

/**
 * Reads, checks and resolves a stack file. `kubernetes` stands in where the file names no version; `asOf` is the day
 * (`YYYY-MM-DD`) for which dated rules are judged, today when left out.
 */
export async function resolveStack(
  stack: string,
  kubernetes?: string,
  asOf?: string,
): Promise<ResolvedStack> {
  const file = stackFile(stack);
  const parsed = await readStackFile(file);
  if (parsed.settings === undefined) return { file, problems: parsed.problems };
  const settings = withKubernetes(parsed.settings, kubernetes);
  const { plan, problems } = resolve(settings, loadCatalog(), asOf === undefined ? {} : { asOf });
  return { file, problems, ...(plan === undefined || !passes(problems) ? {} : { plan }) };
}

/** The plan of a stack, or a report on standard error. Warnings are what `platform check` and the preview are for. */
export async function requirePlan(stack: string, kubernetes?: string): Promise<Plan | undefined> {
  const { file, plan, problems } = await resolveStack(stack, kubernetes);
  if (plan === undefined) process.stderr.write(`${formatProblems(problems, file)}\n`);
  return plan;
}

/** A stack as it is planned outside the gap. */
export interface OutsidePlan {
  /** Charts and manifests come from upstream, whatever the stack takes them from. */
  readonly plan: Plan;
  /** The stack file's own settings. */
  readonly settings: Settings;
}

/** The plan of a stack for those who carry things to it, or a report on standard error. */
export async function requireOutsidePlan(
  stack: string,
  kubernetes?: string,
): Promise<OutsidePlan | undefined> {
  const file = stackFile(stack);
  const parsed = await readStackFile(file);
  const settings =
    parsed.settings === undefined ? undefined : withKubernetes(parsed.settings, kubernetes);
  const resolved =
    settings === undefined
      ? { problems: parsed.problems }
      : resolve({ ...settings, charts: { source: "upstream" } }, loadCatalog());
  if (settings !== undefined && "plan" in resolved && resolved.plan !== undefined)
    return { plan: resolved.plan, settings };
  process.stderr.write(`${formatProblems(resolved.problems, file)}\n`);
  return undefined;
}

function withKubernetes(settings: Settings, kubernetes: string | undefined): Settings {
  if (kubernetes === undefined || settings.kubernetes.version !== undefined) return settings;
  return { ...settings, kubernetes: { ...settings.kubernetes, version: kubernetes } };
}
