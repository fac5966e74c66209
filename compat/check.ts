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
  /** Day for which dated rules are judged, `YYYY-MM-DD`. @default today (UTC) */
  readonly asOf?: string;
}

/** Today in UTC, in the form that dated rules use. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/**
 * Applies every rule whose subjects are all in the selection. Pure; callers are the config loader (before any
 * resource), the policy pack (on the layers' inputs) and the compatibility page.
 */
export function check(selection: Selection, options: CheckOptions = {}): Problem[] {
  const fired = firedRules(selection, options);
  const reasons = new Map((options.acknowledge ?? []).map((item) => [item.rule, item.reason]));
  return deduplicate(fired.map((rule) => describe(rule, selection, options, reasons.get(rule.id))));
}

/** The rules that have something to say about the selection, at the level they have on the day. */
export function firedRules(
  selection: Selection,
  options: Pick<CheckOptions, "rules" | "asOf"> = {},
): Rule[] {
  const asOf = options.asOf ?? today();
  return (options.rules ?? RULES)
    .filter((rule) => fires(rule, selection))
    .flatMap((rule) => judged(rule, asOf));
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
  const key = `${version} ${range}`;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const coerced = semver.coerce(version);
  const answer = coerced !== null && semver.satisfies(coerced, range);
  answers.set(key, answer);
  return answer;
}

/** Answers of `satisfies`: the same few versions meet the same few ranges thousands of times. */
const answers = new Map<string, boolean>();

/** The rule as it stands on a day: `block` is a warning before its day, a warning is nothing before its day. */
function judged(rule: Rule, asOf: string): Rule[] {
  if (rule.from === undefined || rule.from <= asOf) return [rule];
  return rule.level === "block" ? [{ ...rule, level: "warn" }] : [];
}

/** True when the rule has something to say about the selection, whatever the day. */
export function fires(rule: Rule, selection: Selection): boolean {
  const inside = ([subject, range]: [string, string]): boolean => {
    const version = selection.versions[subject as Subject];
    return version !== undefined && satisfies(version, range);
  };
  if (!includes(rule.modes, selection.mode) || !includes(rule.ingress, selection.ingress))
    return false;
  if (!asksFor(rule.features, selection.features)) return false;
  if (!Object.entries(rule.when).every(inside)) return false;
  if (Object.entries(rule.except ?? {}).some(inside)) return false;
  if (rule.requires === undefined) return true;
  const version = selection.versions[rule.requires.subject];
  return version !== undefined && !satisfies(version, rule.requires.range);
}

function includes<T>(allowed: readonly T[] | undefined, value: T | undefined): boolean {
  return allowed === undefined || (value !== undefined && allowed.includes(value));
}

function asksFor<T>(about: readonly T[] | undefined, asked: readonly T[] | undefined): boolean {
  return about === undefined || about.some((item) => asked?.includes(item) ?? false);
}

function describe(
  rule: Rule,
  selection: Selection,
  options: CheckOptions,
  reason: string | undefined,
): Problem {
  const subject = rule.requires?.subject ?? mostSpecific(rule);
  return {
    code: rule.id,
    level: reason === undefined ? rule.level : "warn",
    where: CONFIG_KEYS[subject],
    found: `${DISPLAY_NAMES[subject]} ${selection.versions[subject] ?? "?"}`,
    allowed: allowed(rule, selection),
    source: rule.source,
    fix: fix(rule, subject, selection, options),
    ...(reason === undefined ? {} : { acknowledged: reason }),
  };
}

function allowed(rule: Rule, selection: Selection): string {
  const since = rule.from === undefined ? "" : ` (from ${rule.from} on)`;
  const others = names(rule, selection);
  if (rule.requires !== undefined) {
    const { subject, range } = rule.requires;
    return `${DISPLAY_NAMES[subject]} ${range} with ${others} (${rule.evidence})${since}: ${rule.because}`;
  }
  const together = Object.keys(rule.when).length > 1 ? " together" : "";
  return `not ${others}${together}${since}: ${rule.because}`;
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

/** The single change that lies nearest and breaks the least: which key to set to what. */
function fix(rule: Rule, subject: Subject, selection: Selection, options: CheckOptions): string {
  const key = CONFIG_KEYS[subject];
  const best = nearestAllowed(rule, subject, selection, options);
  if (rule.level === "warn") {
    return best === undefined
      ? "no version on offer fits better; keep it knowingly"
      : `consider setting ${key} to "${best}"`;
  }
  const acknowledge = `or acknowledge ${rule.id} with a reason in kserve:acknowledge`;
  if (subject === "kubernetes")
    return `use a cluster in that range, choose versions that fit the cluster (platform suggest), ${acknowledge}`;
  return best === undefined
    ? `change ${key}, ${acknowledge}`
    : `set ${key} to "${best}", ${acknowledge}`;
}

/**
 * Of the versions on offer that this rule allows, those that break the fewest other blocking rules; of these the
 * nearest minor and its newest patch, which has the most faults mended. A warning is never followed into a set that
 * blocks more than the present one.
 */
function nearestAllowed(
  rule: Rule,
  subject: Subject,
  selection: Selection,
  options: CheckOptions,
): string | undefined {
  const rules = options.rules ?? RULES;
  // Rows of one table share an id: a version that another of them refuses is no way out.
  const rows = rules.filter((item) => item.id === rule.id);
  const blocking = rules.filter((item) => item.level === "block");
  const withVersion = (version: string): Selection => ({
    ...selection,
    versions: { ...selection.versions, [subject]: version },
  });
  const cost = (set: Selection): number => blocking.filter((item) => fires(item, set)).length;
  const limit = rule.level === "warn" ? cost(selection) : Infinity;
  const from = semver.coerce(selection.versions[subject] ?? "");
  const distance = (version: string): number =>
    from === null ? 0 : Math.abs((semver.coerce(version) ?? from).minor - from.minor);
  const candidates = (options.offers?.(subject) ?? [])
    .filter((version) => !rows.some((row) => fires(row, withVersion(version))))
    .map((version) => ({ version, cost: cost(withVersion(version)), distance: distance(version) }))
    .filter((candidate) => candidate.cost <= limit);
  candidates.sort(
    (a, b) => a.cost - b.cost || a.distance - b.distance || semver.rcompare(a.version, b.version),
  );
  return candidates[0]?.version;
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
