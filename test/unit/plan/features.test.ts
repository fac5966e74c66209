import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "../../../compat/check.ts";
import type { Selection } from "../../../compat/rule.ts";
import { supportedFeatures } from "../../../plan/features.ts";
import type { Plan } from "../../../plan/plan.ts";
import { resolve } from "../../../plan/resolve.ts";
import { catalog, planOf, problemsOf, settingsOf } from "../../support/settings.ts";

const RAW = { mode: "RawDeployment" };
const BOTH = { llm: true, localModel: true };
/** Releases whose own faults and rows are somebody else's test. */
const on = (version: string): Record<string, unknown> => ({
  ...RAW,
  kserve: { version },
  kubernetes: {},
});

const roles = (plan: Plan): string[] =>
  plan.layers.flatMap(({ name, charts }) =>
    name === "KServeCore" ? charts.map(({ role }) => role) : [],
  );

function chartOf(plan: Plan, role: string): Plan["layers"][number]["charts"][number] {
  const found = plan.layers
    .find(({ name }) => name === "KServeCore")
    ?.charts.find((chart) => chart.role === role);
  if (found === undefined) throw new Error(`no chart ${role}`);
  return found;
}

describe("charts", () => {
  it.each([
    ["0.20.0", BOTH, "crds llm-crds local-model-crds controller llm local-model runtimes"],
    ["0.20.0", { llm: true }, "crds llm-crds controller llm runtimes"],
    ["0.20.0", { localModel: true }, "crds local-model-crds controller local-model runtimes"],
    ["0.20.0", {}, "crds controller runtimes"],
    ["0.17.1", BOTH, "crds llm-crds local-model-crds controller llm local-model runtimes"],
    ["0.16.0", BOTH, "crds llm-crds controller llm"],
    ["0.16.0", {}, "crds controller"],
    ["0.15.2", { localModel: true }, "crds controller"],
  ])("of %s with %j", (version, features, expected) => {
    expect(roles(planOf({ ...on(version), features })).join(" ")).toBe(expected);
  });

  it("get the values that the feature needs, in the words of the release", () => {
    const plan = planOf({ ...on("0.20.0"), features: BOTH });
    expect(chartOf(plan, "llm").values).toEqual({
      kserve: {
        createSharedResources: false,
        llmisvc: {
          controller: { env: [{ name: "PREVENT_WELL_KNOWN_CONFIG_DELETION", value: "false" }] },
        },
      },
    });
    expect(chartOf(plan, "controller").values).toMatchObject({
      kserve: { localmodel: { enabled: true } },
    });
    expect(chartOf(planOf(on("0.20.0")), "controller").values).not.toHaveProperty([
      "kserve",
      "localmodel",
    ]);
    expect(chartOf(planOf({ ...on("0.19.0"), features: BOTH }), "llm").values).toEqual({
      kserve: { createSharedResources: false },
    });
  });

  it.each([
    [
      "0.20.0",
      BOTH,
      "kserve-crd kserve-llmisvc-crd kserve-localmodel-crd kserve-llmisvc-resources",
    ],
    ["0.20.0", { llm: { createGIECRDs: false } }, "kserve-crd kserve-llmisvc-crd"],
    ["0.20.0", {}, "kserve-crd"],
    ["0.16.0", BOTH, "kserve-crd llmisvc-crd"],
  ])("of %s with %j bring their definitions before any layer", (version, features, expected) => {
    const plan = planOf({ ...on(version), features });
    const layer = plan.layers.find(({ name }) => name === "KServeCore");
    expect(layer?.crds.map(({ name }) => name).join(" ")).toBe(expected);
  });

  it("leave the extension's definitions out in releases whose chart has no value for it, too", () => {
    const features = { llm: { createGIECRDs: false } };
    expect(chartOf(planOf({ ...on("0.17.1"), features }), "llm").leaveOut).toHaveLength(5);
    expect(chartOf(planOf({ ...on("0.17.1"), features: BOTH }), "llm").leaveOut).toEqual([]);
  });
});

describe("a feature that cannot work is refused", () => {
  const report = (raw: Record<string, unknown>, code: string) =>
    resolve(settingsOf(raw), catalog).problems.find((problem) => problem.code === code);

  it.each([
    ["llm", "0.15.2", "0.16.0"],
    ["localModel", "0.14.1", "0.15.2"],
  ])("%s: not in %s, but in %s", (feature, without, having) => {
    const features = { [feature]: true };
    const problem = report(
      { ...on(without), features, ingress: { type: "none" } },
      "catalog-feature-unsupported",
    );
    expect(problem).toMatchObject({ level: "block", where: `kserve:features.${feature}` });
    expect(problem?.allowed).toContain(having);
    expect(problem?.allowed).not.toContain(without);
    expect(problemsOf({ ...on(having), features })).not.toContain("catalog-feature-unsupported");
  });

  it("llm outside the namespace that the release hard-codes", () => {
    const namespaces = { kserve: "serving" };
    const raw = { ...on("0.17.1"), namespaces, features: { llm: true } };
    expect(report(raw, "config-llm-namespace")).toMatchObject({
      level: "block",
      where: "kserve:namespaces.kserve",
    });
    const others = [
      { ...raw, ...on("0.16.0") },
      { ...raw, features: { localModel: true } },
      { ...raw, namespaces: {} },
    ];
    for (const other of others) expect(problemsOf(other)).not.toContain("config-llm-namespace");
  });

  it.each([
    ["RawDeployment", "none", true],
    ["RawDeployment", "ingress-class", true],
    ["RawDeployment", "gateway-class", false],
    ["RawDeployment", "envoy", false],
    ["RawDeployment", "istio", false],
    ["Serverless", "kourier", true],
    ["Serverless", "istio", false],
  ])("llm in %s with ingress %s: %s", (mode, type, refused) => {
    const codes = problemsOf({ mode, ingress: { type }, features: { llm: true } });
    expect(codes.includes("config-llm-ingress")).toBe(refused);
    const without = problemsOf({ mode, ingress: { type }, features: { localModel: true } });
    expect(without).not.toContain("config-llm-ingress");
  });

  it("and what must be on the cluster before is said, not refused", () => {
    const code = "config-llm-inference-extension";
    const features = { llm: { createGIECRDs: false } };
    expect(report({ ...on("0.16.0"), features: { llm: true } }, code)).toMatchObject({
      level: "warn",
    });
    expect(report({ ...on("0.20.0"), features }, code)?.found).toContain("createGIECRDs");
    expect(problemsOf({ ...on("0.20.0"), features: { llm: true } })).not.toContain(code);
    expect(problemsOf(on("0.16.0"))).not.toContain(code);
  });
});

describe("rules that only a feature wakes", () => {
  const base = { kserve: "0.20.0", "cert-manager": "1.21.1", kubernetes: "1.34" };
  const codes = (versions: Record<string, string>, features: Selection["features"]): string[] =>
    check({ versions: { ...base, ...versions }, mode: "RawDeployment", features }).map(
      ({ code }) => code,
    );

  it.each([
    ["compat-kserve-llm-kubernetes", "kubernetes", "1.28", "1.29"],
    ["compat-kserve-llm-cert-manager", "cert-manager", "1.17.4", "1.18.0"],
  ])("%s", (code, subject, below, floor) => {
    expect(codes({ [subject]: below }, ["llm"])).toContain(code);
    expect(codes({ [subject]: floor }, ["llm"])).not.toContain(code);
    expect(codes({ [subject]: below }, ["local-model"])).not.toContain(code);
    expect(codes({ [subject]: below }, undefined)).not.toContain(code);
  });
});

describe("images", () => {
  const releases = catalog
    .versions("kserve")
    .filter((version) => supportedFeatures(catalog.get("kserve", version)).length > 0);
  const key = { llm: "llm", "local-model": "localModel" } as const;
  const planned = (version: string, features: Record<string, boolean>) =>
    resolve(settingsOf({ ...on(version), features }), catalog).plan?.images ?? [];

  it("are the same whatever is asked for; a feature only makes its own necessary", () => {
    const choice = fc.constantFrom(...releases).chain((version) =>
      fc.record({
        version: fc.constant(version),
        wanted: fc.subarray([...supportedFeatures(catalog.get("kserve", version))]),
      }),
    );
    fc.assert(
      fc.property(choice, ({ version, wanted }) => {
        const off = planned(version, {});
        const withFeatures = planned(
          version,
          Object.fromEntries(wanted.map((feature) => [key[feature], true])),
        );
        expect(withFeatures.map(({ upstream }) => upstream)).toEqual(
          off.map(({ upstream }) => upstream),
        );
        for (const [index, image] of withFeatures.entries()) {
          const before = off[index]?.optional;
          const needed = (wanted as readonly string[]).includes(before ?? "");
          expect(image.optional).toBe(needed ? undefined : before);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("include those of the presets", () => {
    const images = planned("0.20.0", { llm: true });
    expect(images.find(({ name }) => name === "llm-d-cuda")).not.toHaveProperty("optional");
    expect(planned("0.20.0", {}).find(({ name }) => name === "llm-d-cuda")?.optional).toBe("llm");
  });
});

describe("catalog data of features", () => {
  const releases = catalog.versions("kserve").map((version) => catalog.get("kserve", version));

  it("names a chart for every part that a release says it has", () => {
    for (const release of releases) {
      const found = new Set(release.charts.map(({ role }) => role as string));
      const needed = [
        ...(release.llm === undefined ? [] : ["llm", "llm-crds", release.llm.presets.chart]),
        ...(release.localModel?.chart === "local-model" ? ["local-model", "local-model-crds"] : []),
      ];
      expect(needed.filter((role) => !found.has(role))).toEqual([]);
      expect(found.has("llm")).toBe(release.llm !== undefined);
      expect(found.has("local-model")).toBe(release.localModel?.chart === "local-model");
    }
  });

  it("leaves no webhook to two charts", () => {
    for (const { version, controller, llm, localModel } of releases) {
      const separate = localModel?.controller.certificate === undefined ? undefined : localModel;
      const all = [controller, llm?.controller, separate?.controller].flatMap(
        (names) => names?.validatingWebhooks ?? [],
      );
      expect(new Set(all).size, version).toBe(all.length);
    }
  });

  it("knows ModelMesh's predictors where KServe brings them, and no longer", () => {
    const having = releases.filter((release) =>
      release.crds?.items.some(({ name }) => name === "predictors.serving.kserve.io"),
    );
    expect(having.map(({ version }) => version)).toEqual([
      "0.14.1",
      "0.13.1",
      "0.12.1",
      "0.11.2",
      "0.11.0",
    ]);
  });
});
