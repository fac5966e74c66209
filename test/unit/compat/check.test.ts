import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check, satisfies, unusedAcknowledgements } from "../../../compat/check.ts";
import type { Rule, Selection } from "../../../compat/rule.ts";
import { RULES } from "../../../compat/rules/index.ts";
import { catalog } from "../../support/settings.ts";

const base: Selection = {
  versions: {
    kubernetes: "1.34.3",
    kserve: "0.20.0",
    "knative-serving": "1.20.2",
    "knative-operator": "1.20.2",
    istio: "1.28.10",
    "cert-manager": "1.21.1",
    "gateway-api": "1.5.1",
  },
  mode: "Serverless",
  ingress: "istio",
};
/** A day before every end of life, so that only what is asked about fires. */
const asOf = "2023-01-01";
const codesOf = (versions: Selection["versions"], rest: Partial<Selection> = {}): string[] =>
  check({ ...base, ...rest, versions: { ...base.versions, ...versions } }, { asOf }).map(
    (problem) => problem.code,
  );

describe("check", () => {
  it("lets the default set pass", () => {
    expect(codesOf({})).toEqual([]);
  });

  // Each rule with a case that fires it and the nearest case that does not.
  it.each<[string, Selection["versions"], Selection["versions"]]>([
    ["compat-kserve-istio", { istio: "1.27.1" }, { istio: "1.28.0" }],
    ["compat-kserve-knative", { "knative-serving": "1.21.0" }, { "knative-serving": "1.19.0" }],
    ["compat-kserve-kubernetes", { kubernetes: "1.35" }, { kubernetes: "1.34" }],
    [
      "compat-kserve-cert-manager",
      { "cert-manager": "1.14.0", kubernetes: "1.31" },
      { "cert-manager": "1.15.0" },
    ],
    ["compat-kserve-gateway-api", { "gateway-api": "1.6.0" }, { "gateway-api": "1.5.0" }],
    [
      "compat-kserve-gateway-api",
      { kserve: "0.16.0", "gateway-api": "1.3.0" },
      { kserve: "0.16.0", "gateway-api": "1.2.1" },
    ],
    [
      "compat-cert-manager-kubernetes",
      { "cert-manager": "1.21.1", kubernetes: "1.32" },
      { "cert-manager": "1.20.3", kubernetes: "1.32" },
    ],
    ["compat-istio-kubernetes", { istio: "1.26.8" }, { istio: "1.28.10" }],
    [
      "compat-knative-serving-kubernetes",
      { "knative-serving": "1.20.2", kubernetes: "1.31" },
      { kubernetes: "1.32" },
    ],
    [
      "compat-gateway-api-kubernetes",
      { "gateway-api": "1.5.1", kubernetes: "1.30" },
      { "gateway-api": "1.4.1", kubernetes: "1.30" },
    ],
    [
      "compat-istio-gateway-api",
      { istio: "1.30.3", "gateway-api": "1.4.1" },
      { istio: "1.30.3", "gateway-api": "1.5.0" },
    ],
    [
      "compat-istio-gateway-api",
      { istio: "1.28.0", "gateway-api": "1.5.1" },
      { istio: "1.28.6", "gateway-api": "1.5.1" },
    ],
    ["compat-kserve-known-bad", { kserve: "0.15.0" }, { kserve: "0.15.2" }],
    ["compat-kserve-known-bad", { kserve: "0.18.0" }, { kserve: "0.18.1" }],
    [
      "compat-knative-operator-known-bad",
      { "knative-operator": "1.22.0" },
      { "knative-operator": "1.22.1" },
    ],
    ["compat-cert-manager-known-bad", { "cert-manager": "1.14.3" }, { "cert-manager": "1.14.4" }],
  ])("%s fires for %j and not for %j", (code, hit, miss) => {
    expect(codesOf(hit)).toContain(code);
    expect(codesOf(miss)).not.toContain(code);
  });

  it("uses the row of the Kubernetes minor when it is known, and any row when it is not", () => {
    const { kubernetes: _kubernetes, ...unknown } = base.versions;
    expect(codesOf({ istio: "1.27.1", kubernetes: "1.33" })).not.toContain("compat-kserve-istio");
    expect(codesOf({ istio: "1.27.1", kubernetes: "1.34" })).toContain("compat-kserve-istio");
    const problems = check({ ...base, versions: { ...unknown, istio: "1.27.9" } });
    expect(problems.filter((problem) => problem.level === "block")).toEqual([]);
  });

  it("judges dated rules by the day: nothing or a warning before it, their own level from it on", () => {
    const rule: Rule = {
      id: "compat-istio-test",
      when: { istio: "1.28.x" },
      level: "block",
      from: "2026-12-01",
      evidence: "upstream",
      source: "istio/istio#1",
      because: "it is over from that day on",
    };
    const levels = (level: Rule["level"], day: string): string[] =>
      check(base, { rules: [{ ...rule, level }], asOf: day }).map((problem) => problem.level);
    expect(levels("block", "2026-11-30")).toEqual(["warn"]);
    expect(levels("block", "2026-12-01")).toEqual(["block"]);
    expect(levels("warn", "2026-11-30")).toEqual([]);
    expect(levels("warn", "2026-12-01")).toEqual(["warn"]);
  });

  it("only warns of end of life, and never follows a warning into a set that blocks", () => {
    const offers = (subject: string): readonly string[] =>
      subject === "istio" ? catalog.versions("istio") : [];
    const problems = check(base, { asOf: "2026-11-21", offers });
    expect(problems.map((problem) => [problem.code, problem.level])).toEqual([
      ["compat-istio-end-of-life", "warn"],
      ["compat-knative-serving-end-of-life", "warn"],
    ]);
    expect(problems[0]?.fix).toBe("no version on offer fits better; keep it knowingly");
  });

  it("refuses a release of KServe that nobody has published a row of", () => {
    expect(codesOf({ kserve: "0.21.0" })).toContain("compat-kserve-no-row");
    expect(codesOf({ kserve: "0.20.9" })).not.toContain("compat-kserve-no-row");
  });

  it("does not ask about layers that are not there", () => {
    const versions = {
      kserve: "0.20.0",
      "cert-manager": "1.21.1",
      "gateway-api": "1.5.1",
      kubernetes: "1.34",
    };
    expect(check({ versions, mode: "RawDeployment", ingress: "gateway-class" })).toEqual([]);
  });

  it("names the nearest version on offer, found, allowed and source", () => {
    const [problem] = check(
      { ...base, versions: { ...base.versions, istio: "1.30.3" } },
      { offers: (subject) => (subject === "kubernetes" ? [] : catalog.versions(subject)) },
    );
    expect(problem).toMatchObject({ where: "kserve:istio.version", found: "Istio 1.30.3" });
    expect(problem?.fix).toContain('set kserve:istio.version to "1.28.10"');
    expect(problem?.source).toContain("kserve/website");
  });

  it("turns an acknowledged problem into a warning that carries the reason", () => {
    const acknowledge = [{ rule: "compat-kserve-kubernetes", reason: "tested by us on 1.35" }];
    const problems = check(
      { ...base, versions: { ...base.versions, kubernetes: "1.35" } },
      { acknowledge },
    );
    const mine = problems.find((problem) => problem.code === "compat-kserve-kubernetes");
    expect(mine).toMatchObject({ level: "warn", acknowledged: "tested by us on 1.35" });
    expect(
      problems.filter((problem) => problem.level === "block").map((problem) => problem.code),
    ).toEqual(["compat-istio-kubernetes"]);
  });

  it("reports acknowledgements of rules that do not fire", () => {
    const acknowledge = [{ rule: "compat-kserve-istio", reason: "no longer needed" }];
    expect(
      unusedAcknowledgements(acknowledge, check(base)).map((problem) => problem.found),
    ).toEqual(["compat-kserve-istio, which this stack does not break"]);
  });

  it("reports one problem per rule and place, however many rows fire", () => {
    const problems = codesOf({ kserve: "0.16.0", istio: "1.20.0", "gateway-api": "1.2.1" });
    expect(problems.filter((code) => code === "compat-kserve-istio")).toHaveLength(1);
  });

  it("answers the same whatever the order of the rules", () => {
    const shuffled = fc.shuffledSubarray([...RULES], {
      minLength: RULES.length,
      maxLength: RULES.length,
    });
    const selection = {
      ...base,
      versions: { ...base.versions, kserve: "0.15.0", istio: "1.20.0" },
    };
    const expected = check(selection)
      .map((problem) => problem.code)
      .sort();
    fc.assert(
      fc.property(shuffled, (rules: Rule[]) => {
        expect(
          check(selection, { rules })
            .map((problem) => problem.code)
            .sort(),
        ).toEqual(expected);
      }),
    );
  });
});

describe("satisfies", () => {
  it("counts minors as their .0 and builds as their release", () => {
    expect(satisfies("1.34", "1.34.x")).toBe(true);
    expect(satisfies("1.34.3-gke.100", ">=1.34.0")).toBe(true);
    expect(satisfies("1.33", ">=1.34.0")).toBe(false);
    expect(satisfies("nonsense", "*")).toBe(false);
  });
});
