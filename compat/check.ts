import semver from "semver";
import type { Problem } from "../problems/problem.ts";
import { CONFIG_KEYS, DISPLAY_NAMES } from "./rule.ts";
import type { Acknowledgement, Rule, Selection, Subject } from "./rule.ts";
import { RULES } from "./rules/index.ts";

/** Everything `check` may look at besides the selection. */
export interface CheckOptions {
  readonly acknowledge?: readonly Acknowledgement[];
  /** Versions on offer per subject, newest first; used to name the nearest allowed one. */
  readonly offers?: (subject: Subject) => readonly string[];
  /** The rules to apply; tests pass their own. @default RULES */
  readonly rules?: readonly Rule[];
}

/**
 * Applies every rule whose subjects are all in the selection. Pure; callers are the config loader (before any
 * resource), the policy pack (on the layers' inputs) and the compatibility page.
 */
export function check(selection: Selection, options: CheckOptions = {}): Problem[] {
  const fired = (options.rules ?? RULES).filter((rule) => fires(rule, selection));
  const reasons = new Map((options.acknowledge ?? []).map((item) => [item.rule, item.reason]));
  return deduplicate(fired.map((rule) => describe(rule, selection, options, reasons.get(rule.id))));
}

/** Acknowledgements of rules that do not fire for this stack; each is a problem of its own. */
export function unusedAcknowledgements(
  acknowledge: readonly Acknowledgement[],
  problems: readonly Problem[],
): Problem[] {
  const fired = new Set(problems.map((problem) => problem.code));
  return acknowledge
    .filter((item) => !fired.has(item.rule))
    .map((item) => ({
      code: "compat-acknowledgement-unused",
      level: "block",
      where: "kserve:acknowledge",
      found: `${item.rule}, which this stack does not break`,
      allowed: "only rules that fire for this stack",
      fix: `remove ${item.rule} from kserve:acknowledge`,
    }));
}

/** True when a version lies in a range; Kubernetes minors (`1.34`) count as `1.34.0`, pre-releases as their release. */
export function satisfies(version: string, range: string): boolean {
  const coerced = semver.coerce(version);
  return coerced !== null && semver.satisfies(coerced, range);
}

function fires(rule: Rule, selection: Selection): boolean {
  if (
    rule.modes !== undefined &&
    (selection.mode === undefined || !rule.modes.includes(selection.mode))
  )
    return false;
  if (
    rule.ingress !== undefined &&
    (selection.ingress === undefined || !rule.ingress.includes(selection.ingress))
  ) {
    return false;
  }
  const matches = Object.entries(rule.when).every(([subject, range]) => {
    const version = selection.versions[subject as Subject];
    return version !== undefined && satisfies(version, range);
  });
  if (!matches) return false;
  if (rule.requires === undefined) return true;
  const version = selection.versions[rule.requires.subject];
  return version !== undefined && !satisfies(version, rule.requires.range);
}

function describe(
  rule: Rule,
  selection: Selection,
  options: CheckOptions,
  reason: string | undefined,
): Problem {
  const subject = rule.requires?.subject ?? mostSpecific(rule);
  const allowed =
    rule.requires === undefined
      ? `not ${names(rule, selection)} together: ${rule.because}`
      : `${DISPLAY_NAMES[subject]} ${rule.requires.range} with ${names(rule, selection)} (${rule.evidence}): ${rule.because}`;
  return {
    code: rule.id,
    level: reason === undefined ? rule.level : "warn",
    where: CONFIG_KEYS[subject],
    found: `${DISPLAY_NAMES[subject]} ${selection.versions[subject] ?? "?"}`,
    allowed,
    source: rule.source,
    fix: fix(rule, subject, selection, options),
    ...(reason === undefined ? {} : { acknowledged: reason }),
  };
}

/** The subject whose version a forbidding rule is about: its first. */
function mostSpecific(rule: Rule): Subject {
  return (Object.keys(rule.when)[0] ?? "kserve") as Subject;
}

function names(rule: Rule, selection: Selection): string {
  return Object.keys(rule.when)
    .map(
      (subject) =>
        `${DISPLAY_NAMES[subject as Subject]} ${selection.versions[subject as Subject] ?? "?"}`,
    )
    .join(" and ");
}

/** The single change that lies nearest: the allowed version on offer with the smallest distance. */
function fix(rule: Rule, subject: Subject, selection: Selection, options: CheckOptions): string {
  const current = selection.versions[subject];
  const allows = (version: string): boolean =>
    !fires(rule, { ...selection, versions: { ...selection.versions, [subject]: version } });
  const candidates = (options.offers?.(subject) ?? []).filter(allows);
  const best = nearest(candidates, current);
  const key = CONFIG_KEYS[subject];
  const acknowledge = `or acknowledge ${rule.id} with a reason in kserve:acknowledge`;
  if (subject === "kubernetes")
    return `use a cluster in that range, choose versions that fit the cluster, ${acknowledge}`;
  return best === undefined
    ? `change ${key}, ${acknowledge}`
    : `set ${key} to "${best}", ${acknowledge}`;
}

/** The version in the nearest minor; of that minor the newest patch, which has the most faults mended. */
function nearest(versions: readonly string[], current: string | undefined): string | undefined {
  const from = semver.coerce(current ?? "");
  if (from === null) return versions[0];
  const span = (version: string): number =>
    Math.abs((semver.coerce(version) ?? from).minor - from.minor);
  return [...versions].sort((a, b) => span(a) - span(b) || semver.rcompare(a, b))[0];
}

/** Rows of one table may fire together; one report per rule and place is enough. */
function deduplicate(problems: readonly Problem[]): Problem[] {
  const seen = new Map<string, Problem>();
  for (const problem of problems) {
    const key = `${problem.code} ${problem.where}`;
    if (!seen.has(key)) seen.set(key, problem);
  }
  return [...seen.values()];
}
