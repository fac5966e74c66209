import { describe, expect, it } from "vitest";
import { checkUpgrade, UPGRADE_RULES } from "../../../compat/upgrade.ts";
import type { Subject } from "../../../compat/rule.ts";

const codesOf = (subject: Subject, from: string, to: string): string[] =>
  checkUpgrade({ [subject]: from }, { [subject]: to }).map((problem) => problem.code);

const CASES: readonly (readonly [string, Subject, [string, string], [string, string]])[] = [
  [
    "compat-knative-serving-upgrade-step",
    "knative-serving",
    ["1.18.2", "1.20.0"],
    ["1.18.2", "1.19.0"],
  ],
  [
    "compat-knative-serving-upgrade-step",
    "knative-serving",
    ["1.20.0", "1.18.2"],
    ["1.20.0", "1.19.9"],
  ],
  ["compat-istio-upgrade-step", "istio", ["1.26.8", "1.28.10"], ["1.27.9", "1.28.10"]],
  ["compat-envoy-gateway-upgrade-lua", "envoy-gateway", ["1.8.3", "1.9.0"], ["1.7.5", "1.8.3"]],
  ["compat-cert-manager-upgrade-step", "cert-manager", ["1.19.6", "1.21.1"], ["1.20.3", "1.21.1"]],
  ["compat-gateway-api-upgrade-v1alpha2", "gateway-api", ["1.1.0", "1.2.1"], ["1.2.1", "1.3.0"]],
  ["compat-gateway-api-upgrade-guard", "gateway-api", ["1.5.1", "1.4.1"], ["1.4.1", "1.5.1"]],
  ["compat-kserve-upgrade-modelmesh", "kserve", ["0.14.1", "0.15.2"], ["0.13.1", "0.14.1"]],
  ["compat-kserve-upgrade-mode-names", "kserve", ["0.15.2", "0.18.1"], ["0.15.2", "0.19.0"]],
  ["compat-kserve-upgrade-charts", "kserve", ["0.16.0", "0.17.1"], ["0.17.1", "0.18.1"]],
];

describe("checkUpgrade", () => {
  it.each(CASES)("%s stops %s from %j but not %j", (code, subject, hit, miss) => {
    expect(codesOf(subject, ...hit)).toContain(code);
    expect(codesOf(subject, ...miss)).not.toContain(code);
  });

  it("has a case for every rule", () => {
    expect(new Set(CASES.map(([code]) => code))).toEqual(
      new Set(UPGRADE_RULES.map((rule) => rule.id)),
    );
  });

  it("names the next step", () => {
    const [problem] = checkUpgrade(
      { "knative-serving": "1.18.2" },
      { "knative-serving": "1.21.0" },
    );
    expect(problem).toMatchObject({ level: "block", found: "Knative Serving 1.18.2 to 1.21.0" });
    expect(problem?.fix).toContain("1.19");
  });

  it("lets installs, removals and no change pass", () => {
    expect(checkUpgrade({}, { istio: "1.28.10" })).toEqual([]);
    expect(checkUpgrade({ istio: "1.20.0" }, {})).toEqual([]);
    expect(checkUpgrade({ kserve: "0.16.0" }, { kserve: "0.16.0" })).toEqual([]);
  });
});
