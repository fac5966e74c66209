import { describe, expect, it } from "vitest";
import { crdsOf } from "../../../plan/crds.ts";
import { getChart, getLayer } from "../../../plan/plan.ts";
import type { Plan } from "../../../plan/plan.ts";
import { resolve } from "../../../plan/resolve.ts";
import { catalog, planOf, problemsOf, settingsOf } from "../../support/settings.ts";

const layersOf = (raw: Record<string, unknown>): string[] =>
  planOf(raw).layers.map((layer) => layer.name);
const KSERVE_15 = { kserve: { version: "0.15.2" }, kubernetes: { version: "1.32" } };

describe("resolve", () => {
  it.each([
    [{}, ["CertManager", "GatewayApi", "IstioMesh", "KnativeServing", "KServeCore"]],
    [{ ingress: { type: "kourier" } }, ["CertManager", "KnativeServing", "KServeCore"]],
    [{ mode: "RawDeployment" }, ["CertManager", "GatewayApi", "KServeCore"]],
    [
      { mode: "RawDeployment", ingress: { type: "istio" } },
      ["CertManager", "GatewayApi", "IstioMesh", "KServeCore"],
    ],
    [
      { mode: "RawDeployment", ingress: { type: "envoy" } },
      ["CertManager", "GatewayApi", "EnvoyGateway", "KServeCore"],
    ],
    [{ mode: "RawDeployment", ingress: { type: "ingress-class" } }, ["CertManager", "KServeCore"]],
    [{ mode: "RawDeployment", ingress: { type: "none" } }, ["CertManager", "KServeCore"]],
  ])("plans for %j only the layers that it needs", (raw, layers) => {
    expect(layersOf(raw)).toEqual(layers);
  });

  it("chains each layer to those that it stands on, and only to layers that exist", () => {
    const order = (plan: Plan): unknown =>
      Object.fromEntries(plan.layers.map((layer) => [layer.name, layer.dependsOn]));
    expect(order(planOf())).toEqual({
      CertManager: [],
      GatewayApi: ["CertManager"],
      IstioMesh: [],
      KnativeServing: ["IstioMesh"],
      KServeCore: ["CertManager", "GatewayApi", "IstioMesh", "KnativeServing"],
    });
    expect(order(planOf({ ingress: { type: "kourier" } }))).toEqual({
      CertManager: [],
      KnativeServing: [],
      KServeCore: ["CertManager", "KnativeServing"],
    });
  });

  it.each([0, 2])(
    "says that KServe does not follow a floor of %i for all of Knative",
    (minScale) => {
      const knative = { autoscaling: { minScale } };
      const { problems } = resolve(settingsOf({ knative }), catalog);
      const problem = problems.find(({ code }) => code === "config-without-effect");
      expect(problem).toMatchObject({
        level: "warn",
        where: "kserve:knative.autoscaling.minScale",
      });
      expect(problem?.fix).toContain(`minReplicas: ${String(minScale)}`);
    },
  );

  it("has nothing to say of that floor where it is not set, or where there is no Knative", () => {
    const knative = { autoscaling: { minScale: 0 } };
    for (const raw of [{}, { knative, mode: "RawDeployment" }])
      expect(problemsOf(raw)).not.toContain("config-without-effect");
  });

  it("names the CRDs of every layer by the charts and files that carry them", () => {
    const crds = planOf().layers.flatMap((layer) => layer.crds.map(({ name }) => name));
    expect(crds).toEqual(["cert-manager", "gateway-api", "base", "knative-operator", "kserve-crd"]);
  });

  it.each([
    ["1.14.0", { installCRDs: true }],
    ["1.15.0", { crds: { enabled: true, keep: true } }],
  ])("asks cert-manager %s for its CRDs in the words of that release", (version, values) => {
    const release = catalog.get("cert-manager", version);
    const [chart] = getLayer(planOf(), "CertManager").charts.filter(
      ({ role }) => role === "controller",
    );
    const layer = {
      namespaces: ["cert-manager"],
      charts: chart === undefined ? [] : [chart],
      manifests: [],
    };
    expect(crdsOf(layer, release)).toMatchObject([{ source: "chart", chart: { values } }]);
  });

  it("fills versions from the set around the chosen KServe release", () => {
    expect(planOf(KSERVE_15).selection.versions).toMatchObject({
      istio: "1.26.8",
      "knative-serving": "1.18.2",
      "gateway-api": "1.2.1",
    });
    expect(planOf().selection.versions).toMatchObject({
      istio: "1.28.10",
      "knative-serving": "1.20.2",
    });
  });

  it("spells the mode as the release does", () => {
    const modeOf = (raw: Record<string, unknown>): unknown =>
      getChart(getLayer(planOf(raw), "KServeCore"), "controller").values;
    expect(modeOf(KSERVE_15)).toMatchObject({
      kserve: { controller: { deploymentMode: "Serverless" } },
    });
    expect(modeOf({})).toMatchObject({ kserve: { controller: { deploymentMode: "Knative" } } });
    expect(modeOf({ mode: "RawDeployment" })).toMatchObject({
      kserve: { controller: { deploymentMode: "Standard" } },
    });
  });

  it.each([
    [{ kserve: { version: "9.9.9" } }, "catalog-version-unknown"],
    [{ ingress: { type: "none" } }, "config-ingress-mode"],
    [{ mode: "RawDeployment", ingress: { type: "kourier" } }, "config-ingress-mode"],
    [
      { knative: { version: "1.20.2", operatorVersion: "1.20.0" } },
      "compat-knative-operator-carries",
    ],
    [{ ...KSERVE_15, istio: { version: "1.28.10" } }, "compat-kserve-istio"],
    [{ certManager: { values: { webhook: { networkPolicy: {} } } } }, "config-value-lost"],
    [
      { acknowledge: [{ rule: "compat-kserve-istio", reason: "not needed at all" }] },
      "compat-acknowledgement-unused",
    ],
  ])("reports for %j %s", (raw, code) => {
    expect(problemsOf(raw)).toContain(code);
  });

  it("lets two upstream hosts share a project", () => {
    const projects = { "quay.io": "x", "docker.io": "x" };
    expect(problemsOf({ registry: { host: "h:1", projects } })).not.toContain(
      "images-mirror-collision",
    );
  });

  it("chooses an operator that carries a Serving version chosen by hand", () => {
    expect(planOf({ knative: { version: "1.20.3" } }).selection.versions["knative-operator"]).toBe(
      "1.20.2",
    );
    expect(
      planOf({ knative: { version: "1.19.4" } }).selection.versions["knative-operator"],
    ).toMatch(/^1\.19\./);
  });

  it("merges the escape hatch last", () => {
    const plan = planOf({
      istio: { values: { global: { hub: "example.org/mine" }, pilot: { env: { A: "1" } } } },
    });
    expect(getChart(getLayer(plan, "IstioMesh"), "controller").values).toMatchObject({
      global: { hub: "example.org/mine", tag: "1.28.10", istioNamespace: "istio-system" },
      pilot: { env: { A: "1" } },
    });
  });

  it("gives Knative one override per image and queue-proxy twice, and no shared default", () => {
    const spec = planOf({ registry: { host: "harbor.test" } }).knativeServing as {
      registry: { override: Record<string, string>; default?: string };
      config: { deployment: Record<string, string> };
    };
    expect(spec.registry.default).toBeUndefined();
    expect(Object.keys(spec.registry.override)).toEqual(
      expect.arrayContaining([
        "activator/activator",
        "net-istio-controller/controller",
        "queue-proxy",
      ]),
    );
    expect(new Set(Object.values(spec.registry.override)).size).toBe(
      Object.keys(spec.registry.override).length,
    );
    expect(spec.config.deployment["queue-sidecar-image"]).toBe(
      spec.registry.override["queue-proxy"],
    );
  });

  it("takes every chart from where the stack says", () => {
    const locations = (charts: unknown): string[] =>
      planOf({ charts }).layers.flatMap((layer) =>
        layer.charts.map((chart) => chart.location.chart),
      );
    expect(locations({ source: "directory", path: "/c" })).toContain("/c/kserve-crd-0.20.0");
    expect(locations({ source: "oci", url: "oci://h/p", manifests: "/m" })).toContain(
      "oci://h/p/kserve-crd",
    );
    expect(locations({ source: "upstream" })).toContain("oci://ghcr.io/kserve/charts/kserve-crd");
    expect(locations({ source: "http", url: "https://h/charts" })).toContain("kserve-crd");
  });

  it("is pure: the same settings give the same plan", () => {
    expect(JSON.stringify(planOf().layers)).toBe(JSON.stringify(planOf().layers));
  });
});
