import semver from "semver";
import { describe, expect, it } from "vitest";
import { fires } from "../../../compat/check.ts";
import type { Rule, Selection, Subject } from "../../../compat/rule.ts";
import { RULES } from "../../../compat/rules/index.ts";
import { KUBERNETES_MINORS } from "../../../compat/suggest.ts";
import { catalog } from "../../support/settings.ts";

/** Versions to try for a subject: those on offer, and around every bound that any rule draws for it. */
const PROBES = new Map<Subject, readonly string[]>();

function probes(subject: Subject): readonly string[] {
  const known = PROBES.get(subject);
  if (known !== undefined) return known;
  const offered = subject === "kubernetes" ? KUBERNETES_MINORS : catalog.versions(subject);
  const found = [
    ...new Set([...offered.map(full), ...RULES.flatMap((rule) => bounds(rule, subject))]),
  ];
  const sorted = found.sort(semver.compare);
  PROBES.set(subject, sorted);
  return sorted;
}

function full(version: string): string {
  return semver.coerce(version)?.version ?? version;
}

/** The bounds of a rule's ranges about a subject, with the release before and after each. */
function bounds(rule: Rule, subject: Subject): string[] {
  const ranges = [rule.when[subject], rule.except?.[subject]];
  if (rule.requires?.subject === subject) ranges.push(rule.requires.range);
  return ranges.flatMap((range) =>
    [...(range ?? "").matchAll(/\d+\.\d+(\.\d+)?/g)].flatMap(([text]) => around(full(text))),
  );
}

function around(version: string): string[] {
  const { major, minor, patch } = new semver.SemVer(version);
  const at = (newMinor: number, newPatch: number): string =>
    `${String(major)}.${String(Math.max(0, newMinor))}.${String(Math.max(0, newPatch))}`;
  return [version, at(minor, patch - 1), at(minor, patch + 1), at(minor - 1, 0), at(minor + 1, 0)];
}

/** A selection that fires the rule, looked for among the probes of each subject that it speaks of. */
function hitOf(rule: Rule): Selection | undefined {
  const subjects = subjectsOf(rule);
  const context: Pick<Selection, "mode" | "ingress" | "features"> = {
    mode: rule.modes?.[0],
    ingress: rule.ingress?.[0],
    features: rule.features,
  };
  const start = Object.fromEntries(
    subjects.map((subject) => [
      subject,
      probes(subject).find((version) => inside(version, rule.when[subject] ?? "*")) ?? "",
    ]),
  );
  const [last = "kserve"] = subjects.slice(-1);
  return probes(last)
    .map((version) => ({ ...context, versions: { ...start, [last]: version } }))
    .find((selection) => fires(rule, selection));
}

function inside(version: string, range: string): boolean {
  return semver.satisfies(version, range);
}

/** Subjects of a rule; the one that decides (it is required, or excepted) comes last. */
function subjectsOf(rule: Rule): Subject[] {
  const when = Object.keys(rule.when) as Subject[];
  const decides = rule.requires?.subject;
  return decides === undefined ? when : [...when.filter((subject) => subject !== decides), decides];
}

/** The selection nearest to a hit that does not fire the rule: one version changed, by as few probes as possible. */
function nearestMiss(rule: Rule, hit: Selection): Selection | undefined {
  const candidates = subjectsOf(rule).flatMap((subject) => {
    const versions = probes(subject);
    const position = versions.indexOf(hit.versions[subject] ?? "");
    return versions.map((version, index) => ({
      steps: Math.abs(index - position),
      selection: { ...hit, versions: { ...hit.versions, [subject]: version } },
    }));
  });
  candidates.sort((a, b) => a.steps - b.steps);
  return candidates.find(({ selection }) => !fires(rule, selection))?.selection;
}

const CASES = RULES.map((rule, index) => [`${rule.id} (${String(index)})`, rule] as const);

describe("every rule", () => {
  it.each(CASES)("%s has a case that fires it and a nearest one that does not", (_name, rule) => {
    const hit = hitOf(rule);
    expect(hit, "no version on offer or around a bound fires this rule").toBeDefined();
    if (hit === undefined) return;
    const miss = nearestMiss(rule, hit);
    expect(miss, "nothing near makes this rule silent").toBeDefined();
    if (miss === undefined) return;
    expect([fires(rule, hit), fires(rule, miss)]).toEqual([true, false]);
  });

  it.each(CASES.filter(([, rule]) => rule.modes ?? rule.ingress ?? rule.features))(
    "%s is silent in other modes, with other ingresses and without its feature",
    (_name, rule) => {
      const hit = hitOf(rule);
      expect(hit).toBeDefined();
      if (hit === undefined) return;
      expect(fires(rule, { versions: hit.versions })).toBe(false);
    },
  );
});
