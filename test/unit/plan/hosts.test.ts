import { describe, expect, it } from "vitest";
import { CLOSING_HOSTS, closingHost } from "../../../compat/hosts.ts";
import { resolve } from "../../../plan/resolve.ts";
import { catalog, settingsOf } from "../../support/settings.ts";

const OLD_HUB = { istio: { values: { global: { hub: "registry.istio.io/release" } } } };
const OLD_CHARTS = {
  charts: { source: "oci", url: "oci://gcr.io/istio-release/charts", manifests: "/manifests" },
};

function levels(raw: Record<string, unknown>, asOf: string): string[] {
  return resolve(settingsOf(raw), catalog, { asOf })
    .problems.filter((problem) => problem.code.includes("-host-"))
    .map((problem) => `${problem.level} ${problem.code}`);
}

describe("closing hosts", () => {
  it.each([
    ["values", OLD_HUB],
    ["charts", OLD_CHARTS],
  ])("in %s warn before their day and block from it on", (_name, raw) => {
    expect(levels(raw, "2026-12-31")).toEqual(["warn compat-istio-host-closing"]);
    expect(levels(raw, "2027-01-01")).toEqual(["block compat-istio-host-closing"]);
  });

  it("can be acknowledged by whoever has a copy", () => {
    const acknowledge = [{ rule: "compat-istio-host-closing", reason: "our proxy keeps a copy" }];
    expect(levels({ ...OLD_HUB, acknowledge }, "2027-01-01")).toEqual([
      "warn compat-istio-host-closing",
    ]);
  });

  it("refuse an acknowledgement that nothing needs", () => {
    const acknowledge = [{ rule: "compat-istio-host-closing", reason: "no longer needed here" }];
    const { plan, problems } = resolve(settingsOf({ acknowledge }), catalog);
    expect(plan).toBeUndefined();
    expect(problems.map((problem) => problem.code)).toContain("compat-acknowledgement-unused");
  });

  it("are used by no default set, now or later", () => {
    expect(levels({}, "2030-01-01")).toEqual([]);
  });

  it("include the one that KServe 0.13 still names, with what to set instead", () => {
    const raw = {
      mode: "RawDeployment",
      kserve: { version: "0.13.1" },
      kubernetes: { version: "1.29" },
    };
    expect(levels(raw, "2026-11-21")).toEqual(["warn compat-kserve-host-closed"]);
  });

  it("match references with and without a scheme, and nothing that only contains one", () => {
    for (const { prefix } of CLOSING_HOSTS) {
      expect(closingHost(`oci://${prefix}/x`)?.prefix).toBe(prefix);
      expect(closingHost(`mirror.example/${prefix}/x`)).toBeUndefined();
    }
  });
});
