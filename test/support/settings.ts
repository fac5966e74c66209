import { parseSettings } from "../../config/parse.ts";
import type { Settings } from "../../config/schema.ts";
import { formatProblems } from "../../problems/problem.ts";
import { resolve } from "../../plan/resolve.ts";
import type { Plan } from "../../plan/plan.ts";
import { loadCatalog } from "../../versions/catalog.ts";

export const catalog = loadCatalog();

/** Settings of a stack on Kubernetes 1.34, with the given keys over the smallest valid configuration. */
export function settingsOf(raw: Readonly<Record<string, unknown>> = {}): Settings {
  const result = parseSettings({ mode: "Serverless", kubernetes: { version: "1.34" }, ...raw });
  if (result.settings === undefined) throw new Error(formatProblems(result.problems));
  return result.settings;
}

/** The plan of such a stack; throws with the report when there is none. */
export function planOf(raw: Readonly<Record<string, unknown>> = {}): Plan {
  const { plan, problems } = resolve(settingsOf(raw), catalog);
  if (plan === undefined) throw new Error(formatProblems(problems));
  return plan;
}

/** Codes of everything that is wrong with such a stack. */
export function problemsOf(raw: Readonly<Record<string, unknown>>): string[] {
  return resolve(settingsOf(raw), catalog).problems.map((problem) => problem.code);
}
