import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { namePullSecret } from "../../components/pull-secrets.ts";
import type { RenderedObject } from "../../components/transforms.ts";

const SECRET = [{ name: "reg" }];
const named = (object: RenderedObject): RenderedObject =>
  namePullSecret("reg")(object, {})?.object ?? object;
const containers = [{ name: "main", image: "a/b:1" }];

describe("namePullSecret", () => {
  it.each([
    ["Deployment", { spec: { template: { spec: { containers } } } }, ["template", "spec"]],
    [
      "CronJob",
      { spec: { jobTemplate: { spec: { template: { spec: { containers } } } } } },
      ["jobTemplate", "spec", "template", "spec"],
    ],
    ["ClusterServingRuntime", { spec: { containers, workerSpec: { containers } } }, ["workerSpec"]],
    ["ClusterServingRuntime", { spec: { containers } }, []],
    [
      "LLMInferenceServiceConfig",
      { spec: { router: { scheduler: { template: { containers } } } } },
      ["router", "scheduler", "template"],
    ],
  ])("reaches the pods of a %s", (kind, object, path) => {
    expect(named({ kind, ...object })).toHaveProperty(
      ["spec", ...path, "imagePullSecrets"],
      SECRET,
    );
  });

  it("reaches service accounts, beside secrets that they name already", () => {
    const account = { kind: "ServiceAccount", imagePullSecrets: [{ name: "other" }] };
    expect(named(account)["imagePullSecrets"]).toEqual([{ name: "other" }, ...SECRET]);
    expect(named({ kind: "ServiceAccount" })["imagePullSecrets"]).toEqual(SECRET);
  });

  it("reaches the router of inference graphs, in JSON", () => {
    const data = { router: '{ "image": "a/b:1", "imagePullSecrets": [] }', other: "{}" };
    const config = { kind: "ConfigMap", metadata: { name: "inferenceservice-config" }, data };
    const result = named(config)["data"] as Record<string, string>;
    expect(JSON.parse(result["router"] ?? "")).toEqual({
      image: "a/b:1",
      imagePullSecrets: ["reg"],
    });
    expect(result["other"]).toBe("{}");
  });

  it.each([
    ["another ConfigMap", { kind: "ConfigMap", metadata: { name: "x" }, data: { router: "{}" } }],
    [
      "a router that is no JSON",
      {
        kind: "ConfigMap",
        metadata: { name: "inferenceservice-config" },
        data: { router: '{ "imagePullSecrets": [reg] }' },
      },
    ],
    ["a CRD", { kind: "CustomResourceDefinition", spec: { containers } }],
    ["a single container", { kind: "ClusterStorageContainer", spec: { container: containers[0] } }],
    ["words", { kind: "AuthorizationPolicy", spec: { containers: ["main"] } }],
    ["an empty list", { kind: "ServingRuntime", spec: { containers: [] } }],
  ])("leaves %s alone", (_name, object) => {
    expect(named(object)).toEqual(object);
  });

  it("is done after one step, whatever the object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (spec) => {
        const once = named({ kind: "Thing", spec: { ...spec, containers } });
        expect(named(once)).toEqual(once);
        expect(once).toHaveProperty(["spec", "imagePullSecrets"], SECRET);
      }),
    );
  });
});
