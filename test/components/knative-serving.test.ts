import { describe, expect, it } from "vitest";
import { KSERVE_15, runProgram } from "../support/program.ts";

const CA = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";
const SERVING = "kubernetes:operator.knative.dev/v1beta1:KnativeServing";

describe("KnativeServing", () => {
  it("tells its version, its operator's and what it stands on", async () => {
    const layer = (await runProgram()).get("knative");
    expect(layer.type).toBe("kserve-platform:layer:KnativeServing");
    expect(layer.inputs).toMatchObject({
      product: "knative-serving",
      version: "1.20.2",
      operatorVersion: "1.20.2",
      standsOn: { istio: "1.28.10" },
    });
    expect(layer.dependsOn).toContain("istio-istiod");
  });

  it("does not stand on Istio with Kourier", async () => {
    const recording = await runProgram({ ingress: { type: "kourier" } });
    expect(recording.get("knative").inputs["standsOn"]).toEqual({});
    expect(recording.get("knative-serving").inputs["spec"]).toMatchObject({
      ingress: { istio: { enabled: false }, kourier: { enabled: true } },
    });
  });

  it.each([
    ["1.20.2", {}],
    ["1.18.2", KSERVE_15],
    ["1.20.3", { knative: { version: "1.20.3" } }],
  ])("waits until Serving is ready at exactly %s", async (version, raw) => {
    const recording = await runProgram(raw);
    const ready = recording.get("knative-ready");
    expect(ready.inputs["input"]).toMatchObject({ version });
    expect(ready.dependsOn).toEqual(["knative-serving"]);
    expect(ready.hooks).toMatchObject({ create: ["await-knative"], update: ["await-knative"] });
    expect(recording.get("knative-serving").inputs["spec"]).toMatchObject({ version });
  });

  it("waits anew for another specification, which is not in the state", async () => {
    const of = async (raw: object): Promise<unknown> =>
      (await runProgram({ ...raw })).get("knative-ready").inputs["input"];
    expect(await of({})).toEqual(await of({ kserve: { values: { x: 1 } } }));
    expect(await of({})).not.toEqual(await of({ registry: { host: "harbor.test" } }));
  });

  it("creates the resource in its namespace, after the operator's chart", async () => {
    const recording = await runProgram({ namespaces: { knativeServing: "serving" } });
    const serving = recording.get("knative-serving");
    expect(serving.type).toBe(SERVING);
    expect(serving.inputs["metadata"]).toMatchObject({
      name: "knative-serving",
      namespace: "serving",
    });
    expect(recording.get("knative").dependsOn).toEqual(
      expect.arrayContaining(["knative-operator", "istio-istiod"]),
    );
    expect(recording.get("knative-operator", "kubernetes:helm.sh/v4:Chart").inputs).toMatchObject({
      namespace: "knative-operator",
      chart: "knative-operator",
    });
  });

  it("names an override in the registry for every image", async () => {
    const recording = await runProgram({ registry: { host: "harbor.test" } });
    const { registry } = recording.get("knative-serving").inputs["spec"] as {
      registry: { override: Record<string, string> };
    };
    const images = Object.values(registry.override);
    expect(images.length).toBeGreaterThanOrEqual(6);
    expect(images.filter((image) => !image.startsWith("harbor.test/"))).toEqual([]);
  });

  it.each([
    ["kind.local,ko.local,dev.local,harbor.test,other.test", undefined, {}],
    ["kind.local,ko.local,dev.local", undefined, { resolveTags: true }],
    [
      "kind.local,ko.local,dev.local",
      { type: "ConfigMap", name: "kserve-registry-ca" },
      { resolveTags: true, ca: CA },
    ],
    ["kind.local,ko.local,dev.local,harbor.test,other.test", undefined, { ca: CA }],
  ])("leaves the tags of %s alone and trusts %j with %j", async (registries, trust, more) => {
    const images = { "nvcr.io/nvidia/tritonserver": "other.test/triton" };
    const registry = { host: "harbor.test", images, ...more };
    const { spec } = (await runProgram({ registry })).get("knative-serving").inputs as {
      spec: Record<string, unknown>;
    };
    expect(spec["controller-custom-certs"]).toEqual(trust);
    expect(spec["config"]).toMatchObject({
      deployment: { "registries-skipping-tag-resolving": registries },
    });
  });

  it("does not exist in RawDeployment mode", async () => {
    const recording = await runProgram({ mode: "RawDeployment", ingress: { type: "istio" } });
    expect(recording.ofType(SERVING)).toEqual([]);
    expect(recording.resources.filter((item) => item.name.startsWith("knative"))).toEqual([]);
  });
});
