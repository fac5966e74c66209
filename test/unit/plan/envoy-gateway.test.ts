import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../config/secret.ts";
import { findImages } from "../../../images/scan.ts";
import { getChart, getLayer } from "../../../plan/plan.ts";
import { resolve } from "../../../plan/resolve.ts";
import { Catalog } from "../../../versions/catalog.ts";
import { catalog, planOf, problemsOf, settingsOf } from "../../support/settings.ts";

const ENVOY = { mode: "RawDeployment", ingress: { type: "envoy" } };
const HOST = "10.61.3.31:35000";
const OLDER = { kserve: { version: "0.16.0" } };

const controllerOf = (raw: Record<string, unknown> = {}): unknown =>
  getChart(getLayer(planOf({ ...ENVOY, ...raw }), "EnvoyGateway"), "controller").values;

describe("a raw deployment with Envoy Gateway", () => {
  it("has its layer behind the Gateway API, and both charts", () => {
    const plan = planOf(ENVOY);
    expect(plan.layers.map((layer) => layer.name)).toEqual([
      "CertManager",
      "GatewayApi",
      "EnvoyGateway",
      "KServeCore",
    ]);
    const layer = getLayer(plan, "EnvoyGateway");
    expect(layer.charts.map((chart) => chart.location.chart)).toEqual([
      "oci://docker.io/envoyproxy/gateway-crds-helm",
      "oci://docker.io/envoyproxy/gateway-helm",
    ]);
    expect(layer.namespaces).toEqual(["envoy-gateway-system"]);
  });

  it("makes the class that KServe's own examples name, and lets the stack name another", () => {
    expect(planOf(ENVOY).ingress).toEqual({
      type: "envoy",
      className: "envoy",
      controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
      gateway: true,
    });
    const own = {
      type: "envoy",
      className: "ml",
      controllerName: "example.org/eg",
      gateway: false,
    };
    expect(planOf({ ...ENVOY, ingress: own }).ingress).toEqual(own);
    expect(controllerOf({ ingress: own })).toMatchObject({
      config: { envoyGateway: { gateway: { controllerName: "example.org/eg" } } },
    });
  });

  it("lets KServe write routes to our Gateway", () => {
    const { values } = getChart(getLayer(planOf(ENVOY), "KServeCore"), "controller");
    expect(JSON.stringify(values)).toContain('"enableGatewayApi":true');
  });

  it("brings no Gateway API definitions of its own, in neither chart", () => {
    const { values } = getChart(getLayer(planOf(ENVOY), "EnvoyGateway"), "crds");
    expect(values).toEqual({
      crds: { gatewayAPI: { enabled: false }, envoyGateway: { enabled: true } },
    });
    expect(controllerOf()).toMatchObject({
      crds: { enabled: false, gatewayAPI: { safeUpgradePolicy: { enabled: false } } },
      topologyInjector: { enabled: false },
    });
  });

  it("passes replicas and resources on, and the stack's own values last", () => {
    const resources = { limits: { memory: "2Gi" } };
    const own = { deployment: { replicas: 5, priorityClassName: "high" } };
    expect(controllerOf({ envoyGateway: { replicas: 2, resources } })).toMatchObject({
      deployment: { replicas: 2, envoyGateway: { resources } },
    });
    expect(controllerOf({ envoyGateway: { replicas: 2, values: own } })).toMatchObject(own);
  });

  it("tells the controller how to make proxies", () => {
    const resources = { requests: { cpu: "1" } };
    const proxy = { replicas: 3, resources, serviceType: "NodePort" };
    expect(planOf({ ...ENVOY, envoyGateway: { proxy } }).envoyProxy).toEqual({
      provider: {
        type: "Kubernetes",
        kubernetes: {
          envoyDeployment: {
            replicas: 3,
            container: { image: "docker.io/envoyproxy/envoy:distroless-v1.38.3", resources },
          },
          envoyService: { type: "NodePort" },
        },
      },
    });
    expect(planOf({ mode: "RawDeployment" }).envoyProxy).toBeUndefined();
  });
});

describe("Envoy Gateway from a mirror", () => {
  const registry = { host: HOST };

  it("names all three images by chart values where the release has them", () => {
    expect(controllerOf({ registry })).toMatchObject({
      global: {
        images: {
          envoyGateway: { image: `${HOST}/docker.io/envoyproxy/gateway:v1.8.3` },
          envoyProxy: { image: `${HOST}/docker.io/envoyproxy/envoy:distroless-v1.38.3` },
          ratelimit: { image: `${HOST}/docker.io/envoyproxy/ratelimit:1e50889b` },
        },
      },
    });
  });

  it("leaves the proxy of releases before 1.8 to the EnvoyProxy resource alone", () => {
    const values = JSON.stringify(controllerOf({ registry, ...OLDER }));
    expect(values).toContain("envoyproxy/gateway:v1.7.5");
    expect(values).not.toContain("envoyProxy");
    expect(JSON.stringify(planOf({ ...ENVOY, registry, ...OLDER }).envoyProxy)).toContain(
      `"${HOST}/docker.io/envoyproxy/envoy:distroless-v1.37.5"`,
    );
  });

  it.each([{}, OLDER])("hands the pull secret to controller and proxies, with %j", (release) => {
    const pullSecret = { username: "robot", password: new Secret("hunter2") };
    const raw = { ...release, registry: { ...registry, pullSecret } };
    const references = { imagePullSecrets: [{ name: "kserve-registry" }] };
    expect(controllerOf(raw)).toMatchObject({ global: references });
    expect(planOf({ ...ENVOY, ...raw }).envoyProxy).toMatchObject({
      provider: { kubernetes: { envoyDeployment: { pod: references } } },
    });
  });

  it("takes every image from the registry, whatever its address", () => {
    const host = fc
      .tuple(fc.domain(), fc.integer({ min: 1, max: 65535 }))
      .map(([name, port]) => `${name.toLowerCase()}:${String(port)}`);
    fc.assert(
      fc.property(host, fc.constantFrom("0.20.0", "0.16.0"), (address, version) => {
        const plan = planOf({ ...ENVOY, registry: { host: address }, kserve: { version } });
        const layer = getLayer(plan, "EnvoyGateway");
        const placed = [plan.envoyProxy, ...layer.charts.map((chart) => chart.values)];
        const found = findImages(placed, () => false);
        expect(found.length).toBeGreaterThan(2);
        for (const image of found) expect(image.reference.host).toBe(address);
      }),
      { numRuns: 30 },
    );
  });
});

describe("Envoy Gateway is refused", () => {
  it.each([
    ["for Serverless", { ...ENVOY, mode: "Serverless" }, "config-ingress-mode"],
    [
      "with a KServe that writes no routes",
      { ...ENVOY, kserve: { version: "0.14.1" }, kubernetes: { version: "1.30" } },
      "catalog-ingress-unsupported",
    ],
    [
      "in a release that nobody knows",
      { ...ENVOY, envoyGateway: { version: "0.1.0" } },
      "catalog-version-unknown",
    ],
    [
      "on CRDs that its controller ends without",
      { ...ENVOY, gatewayApi: { version: "1.4.1" } },
      "compat-envoy-gateway-gateway-api",
    ],
  ])("%s", (_name, raw, code) => {
    expect(problemsOf(raw)).toContain(code);
  });

  it("on nothing of that with the set's own versions, but for the end of life", () => {
    const { problems } = resolve(settingsOf(ENVOY), catalog, { asOf: "2026-11-21" });
    const about = problems.filter(({ where }) => where === "kserve:envoyGateway.version");
    expect(about.map(({ code, level }) => [code, level])).toEqual([
      ["compat-envoy-gateway-end-of-life", "warn"],
    ]);
  });

  it("where neither stack nor set names a release, with those to choose from", () => {
    const sets = catalog.sets.map(({ "envoy-gateway": _none, ...set }) => set);
    const bare = new Catalog(catalog.releases(), sets, catalog.defaultSet.name);
    const { problems } = resolve(settingsOf(ENVOY), bare);
    expect(problems).toContainEqual(
      expect.objectContaining({
        code: "config-version-missing",
        where: "kserve:envoyGateway.version",
        allowed: catalog.versions("envoy-gateway").join(", "),
      }),
    );
    const chosen = { ...ENVOY, envoyGateway: { version: "1.8.3" } };
    expect(resolve(settingsOf(chosen), bare).plan?.selection.versions).toMatchObject({
      "envoy-gateway": "1.8.3",
    });
  });
});

describe("sets with Envoy Gateway", () => {
  const named = catalog.sets.filter((set) => set["envoy-gateway"] !== undefined);

  it("are all those whose KServe writes routes, but for the historic one", () => {
    const writing = catalog.sets.filter(
      ({ kserve, evidence }) =>
        evidence !== "user-named" &&
        catalog.get("kserve", kserve).values.keys["enableGatewayApi"] !== undefined,
    );
    expect(named.map(({ name }) => name)).toEqual(writing.map(({ name }) => name));
  });

  it.each(
    named.flatMap((set) => set.kubernetes.map((version) => [set.name, version, set] as const)),
  )("%s keeps every rule on Kubernetes %s that it does not name", (_name, version, set) => {
    const problems = problemsOf({
      ...ENVOY,
      kubernetes: { version },
      kserve: { version: set.kserve },
      acknowledge: set.breaks.map((rule) => ({ rule, reason: "named by the set itself" })),
    });
    const allowed =
      /-(?:end-of-life|tested|advisory|faulty|known-bad)$|^images-|^compat-kserve-host/;
    expect(problems.filter((code) => !allowed.test(code))).toEqual([]);
  });
});
