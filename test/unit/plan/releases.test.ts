import { describe, expect, it } from "vitest";
import { MODES } from "../../../config/schema.ts";
import type { Mode } from "../../../config/schema.ts";
import { getChart, getLayer } from "../../../plan/plan.ts";
import type { Plan } from "../../../plan/plan.ts";
import { resolve } from "../../../plan/resolve.ts";
import { formatProblems } from "../../../problems/problem.ts";
import type { VersionSet } from "../../../versions/catalog.ts";
import { catalog, settingsOf } from "../../support/settings.ts";

/** Generous for a busy machine; the figure that counts is printed by the test. */
const LIMIT_MS = 1000;

/** Settings of a stack that takes a whole set, on the newest Kubernetes minor the set is known for. */
function stackOf(set: VersionSet, mode: Mode): ReturnType<typeof settingsOf> {
  return settingsOf({
    mode,
    kubernetes: { version: set.kubernetes.at(-1) },
    kserve: { version: set.kserve },
    ...(mode === "Serverless"
      ? {
          knative: { version: set["knative-serving"], operatorVersion: set["knative-operator"] },
          istio: { version: set.istio },
        }
      : {}),
    certManager: { version: set["cert-manager"] },
    gatewayApi: { version: set["gateway-api"] },
    acknowledge: acknowledgementsOf(set, mode),
  });
}

/** The rules that a set breaks, but for those about layers that the mode does not have. */
function acknowledgementsOf(set: VersionSet, mode: Mode): { rule: string; reason: string }[] {
  const fired = new Set(resolve(bare(set, mode), catalog).problems.map((problem) => problem.code));
  return set.breaks
    .filter((rule) => fired.has(rule))
    .map((rule) => ({ rule, reason: "named by the set itself" }));
}

function bare(set: VersionSet, mode: Mode): ReturnType<typeof settingsOf> {
  return settingsOf({
    mode,
    kubernetes: { version: set.kubernetes.at(-1) },
    kserve: { version: set.kserve },
    knative: { version: set["knative-serving"], operatorVersion: set["knative-operator"] },
    istio: { version: set.istio },
    certManager: { version: set["cert-manager"] },
    gatewayApi: { version: set["gateway-api"] },
  });
}

const CASES = catalog.sets.flatMap((set) =>
  MODES.filter((mode) => catalog.get("kserve", set.kserve).modes.spelling[mode] !== undefined).map(
    (mode) => [set.name, mode, set] as const,
  ),
);

function planOf(set: VersionSet, mode: Mode): Plan {
  const { plan, problems } = resolve(stackOf(set, mode), catalog);
  if (plan === undefined) throw new Error(formatProblems(problems));
  return plan;
}

describe("every release of KServe in every mode it has", () => {
  it.each(CASES)("%s resolves in mode %s with its own data", (_name, mode, set) => {
    const plan = planOf(set, mode);
    const core = getLayer(plan, "KServeCore");
    const release = catalog.get("kserve", set.kserve);
    expect(core.version).toBe(set.kserve);
    expect(core.charts.map((chart) => chart.version)).toEqual(
      core.charts.map((chart) => release.charts.find((item) => item.name === chart.name)?.version),
    );
    const own = plan.images.filter((image) => image.layer === "KServeCore");
    expect(own.length).toBeGreaterThan(10);
    expect(JSON.stringify(getChart(core, "controller").values)).toContain(
      release.modes.spelling[mode],
    );
  });

  it.each(
    catalog.sets.filter((set) => set.kserve > "0.14.9").map((set) => [set.name, set] as const),
  )("%s has no ModelMesh, and says so", (_name, set) => {
    const { problems } = resolve(bare(set, "ModelMesh"), catalog);
    expect(problems.map((problem) => problem.code)).toContain("catalog-mode-unsupported");
  });

  it("takes less than a second for all of them in one process", () => {
    const stacks = CASES.map(([, mode, set]) => stackOf(set, mode));
    const start = performance.now();
    for (const stack of stacks)
      expect(resolve(stack, catalog).plan?.images.length).toBeGreaterThan(0);
    const took = performance.now() - start;
    process.stdout.write(
      `${String(stacks.length)} plans with all images in ${took.toFixed(0)} ms\n`,
    );
    expect(took).toBeLessThan(LIMIT_MS);
  });
});

describe("ModelMesh", () => {
  const raw = { mode: "ModelMesh", kubernetes: { version: "1.30" }, kserve: { version: "0.14.1" } };

  it("has the layers of a raw deployment without ingress, and switches ModelMesh on", () => {
    const { plan, problems } = resolve(settingsOf(raw), catalog);
    expect(plan?.layers.map((layer) => layer.name)).toEqual(["CertManager", "KServeCore"]);
    expect(
      plan === undefined ? {} : getChart(getLayer(plan, "KServeCore"), "controller").values,
    ).toMatchObject({
      kserve: { modelmesh: { enabled: true }, controller: { deploymentMode: "ModelMesh" } },
    });
    expect(plan?.images.map((image) => image.name)).toContain("modelmesh-controller");
    expect(problems.map((problem) => problem.code)).toContain("config-modelmesh-etcd");
  });

  it("is off, images included, in the other modes", () => {
    const { plan } = resolve(settingsOf({ ...raw, mode: "RawDeployment" }), catalog);
    expect(plan?.images.map((image) => image.name)).not.toContain("modelmesh-controller");
    expect(plan?.ingress.type).toBe("ingress-class");
  });

  it("takes no ingress, as raw deployments of old releases take no Gateway API", () => {
    const codes = (settings: Record<string, unknown>): string[] =>
      resolve(settingsOf(settings), catalog).problems.map((problem) => problem.code);
    expect(codes({ ...raw, ingress: { type: "istio" } })).toEqual(["config-ingress-mode"]);
    expect(codes({ ...raw, mode: "RawDeployment", ingress: { type: "gateway-class" } })).toEqual([
      "catalog-ingress-unsupported",
    ]);
  });
});

describe("a historic set that users really run", () => {
  const raw = {
    kubernetes: { version: "1.28.6" },
    kserve: { version: "0.15.2" },
    istio: { version: "1.17.2" },
    knative: { version: "1.12.3" },
    certManager: { version: "1.13.3" },
  };
  const blocking = [
    "compat-cert-manager-kubernetes",
    "compat-istio-gateway-api",
    "compat-istio-kubernetes",
    "compat-kserve-cert-manager",
    "compat-kserve-istio",
    "compat-kserve-knative",
    "compat-kserve-kubernetes",
  ];
  const acknowledge = blocking.map((rule) => ({ rule, reason: "in production for two years" }));

  it("is refused, for all its reasons, each with a single change", () => {
    const { plan, problems } = resolve(settingsOf(raw), catalog);
    expect(plan).toBeUndefined();
    const refused = problems.filter((problem) => problem.level === "block");
    expect(refused.map((problem) => problem.code).sort()).toEqual(blocking);
    for (const problem of refused) expect(problem.fix).toContain(`acknowledge ${problem.code}`);
  });

  it("is possible when each rule is acknowledged, and shows each reason", () => {
    const { plan, problems } = resolve(settingsOf({ ...raw, acknowledge }), catalog);
    expect(plan?.selection.versions).toMatchObject({
      istio: "1.17.2",
      "knative-serving": "1.12.3",
      "cert-manager": "1.13.3",
      kserve: "0.15.2",
    });
    const shown = problems.filter((problem) => problem.acknowledged !== undefined);
    expect(shown.map((problem) => problem.code).sort()).toEqual(blocking);
    expect(new Set(shown.map((problem) => problem.level))).toEqual(new Set(["warn"]));
  });

  it.each(blocking)(
    "an acknowledgement covers only what it names: without %s it is refused",
    (rule) => {
      const rest = acknowledge.filter((item) => item.rule !== rule);
      const { plan, problems } = resolve(settingsOf({ ...raw, acknowledge: rest }), catalog);
      expect(plan).toBeUndefined();
      const refused = problems.filter((problem) => problem.level === "block");
      expect(refused.map((problem) => problem.code)).toEqual([rule]);
    },
  );
});
