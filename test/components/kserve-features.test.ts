import { describe, expect, it } from "vitest";
import { KSERVE_15, KSERVE_16, runProgram } from "../support/program.ts";
import type { Recording } from "../support/pulumi-mocks.ts";

const RAW = { mode: "RawDeployment" };
const BOTH = { features: { llm: true, localModel: true } };
/** Charts whose definitions go in before everything. */
const CRDS = ["kserve-crd", "kserve-llmisvc-crd", "kserve-localmodel-crd"];
const EXCEPT = "LLMInferenceServiceConfig,CustomResourceDefinition";
const INFERENCE_EXTENSION = "kserve-llmisvc-resources";
const registry = { host: "harbor.test", pullSecret: { username: "robot", password: "abcdef" } };

function selection(recording: Recording, name: string): unknown[] {
  const { args } = recording.get(name).inputs["postRenderer"] as { args: unknown[] };
  // Behind the selection stands the namespace, for every chart.
  return args.slice(1, -2);
}

describe("KServe's features", () => {
  it("are not there unless the stack asks", async () => {
    const recording = await runProgram(RAW);
    const names = recording.resources.map(({ name }) => name);
    expect(names.filter((name) => /llm|local-?model/.test(name))).toEqual([]);
    expect(recording.get("kserve").inputs).not.toHaveProperty("features");
  });

  it("go in as definitions, controllers, presets", async () => {
    const recording = await runProgram({ ...RAW, ...BOTH });
    expect(recording.get("kserve").inputs["features"]).toEqual(["llm", "local-model"]);
    const after = (name: string): readonly string[] => recording.get(name).objectsDependOn;
    const records = [...CRDS, INFERENCE_EXTENSION].map((chart) => `crds-${chart}`);
    expect(recording.get("kserve").dependsOn).toEqual(expect.arrayContaining(records));
    expect(after("kserve-llm")).toEqual(["kserve-controller-ready"]);
    expect(after("kserve-local-model")).toEqual(["kserve-controller-ready"]);
    expect(after("kserve-llm-presets")).toEqual(["kserve-llm-ready"]);
    expect(recording.get("kserve-local-model-ready").dependsOn).toEqual(["kserve-local-model"]);
  });

  it("leave the shared objects with KServe's controller", async () => {
    const recording = await runProgram({ ...RAW, ...BOTH });
    expect(recording.get("kserve-llm").inputs["values"]).toMatchObject({
      kserve: { createSharedResources: false },
    });
    expect(recording.get("kserve-controller").inputs["values"]).not.toHaveProperty([
      "kserve",
      "createSharedResources",
    ]);
  });

  it("take the presets out of the chart that holds them", async () => {
    const recording = await runProgram({ ...RAW, ...BOTH });
    const presets = recording.get("kserve-llm-presets");
    expect(presets.inputs["chart"]).toBe("oci://ghcr.io/kserve/charts/kserve-runtime-configs");
    expect(presets.inputs["values"]).toMatchObject({
      kserve: { llmisvcConfigs: { enabled: true } },
    });
    expect(selection(recording, "kserve-llm-presets")).toEqual([
      "--only",
      "LLMInferenceServiceConfig",
    ]);
    expect(selection(recording, "kserve-llm")).toEqual(["--except", EXCEPT]);
  });

  it("stand beside the controller chart of 0.16, which brings some of the same objects", async () => {
    const recording = await runProgram({ ...RAW, ...KSERVE_16, ...BOTH });
    expect(selection(recording, "kserve-llm")).toEqual([
      "--except",
      EXCEPT,
      "--leave-out",
      "ConfigMap/inferenceservice-config",
    ]);
    expect(recording.get("kserve-llm-presets").inputs["chart"]).toBe(
      "oci://ghcr.io/kserve/charts/llmisvc-resources",
    );
    expect(recording.has("kserve-local-model")).toBe(false);
    expect(recording.get("kserve-controller").inputs["values"]).toMatchObject({
      kserve: { localmodel: { enabled: true } },
    });
  });

  it("leave the inference extension's definitions to somebody else where the stack says so", async () => {
    const features = { llm: { createGIECRDs: false } };
    const recording = await runProgram({ ...RAW, features });
    expect(recording.has(`crds-${INFERENCE_EXTENSION}`)).toBe(false);
    expect(recording.has("crds-kserve-llmisvc-crd")).toBe(true);
  });

  it.each([
    ["0.20.0", {}],
    ["0.15.2", KSERVE_15],
  ])("run the model jobs of %s in a namespace of ours that can pull", async (_version, raw) => {
    const stack = { ...RAW, ...raw, features: { localModel: true }, registry };
    const recording = await runProgram(stack, ["registry"]);
    expect(recording.get("namespace-kserve-localmodel-jobs").inputs).toMatchObject({
      metadata: { name: "kserve-localmodel-jobs" },
    });
    expect(recording.has("pull-secret-kserve-localmodel-jobs")).toBe(true);
    const account = recording.get("pull-secret-kserve-localmodel-jobs-default");
    expect(account.type).toBe("kubernetes:core/v1:ServiceAccountPatch");
    expect(account.inputs).toMatchObject({
      metadata: { name: "default", namespace: "kserve-localmodel-jobs" },
      imagePullSecrets: [{ name: "kserve-registry" }],
    });
  });

  it("pull the LLM controller with the secret of the registry", async () => {
    const recording = await runProgram({ ...RAW, ...BOTH, registry }, ["registry"]);
    expect(recording.get("kserve-llm").inputs["values"]).toMatchObject({
      kserve: { llmisvc: { controller: { imagePullSecrets: ["kserve-registry"] } } },
    });
  });

  it("leave the jobs' account alone without a pull secret", async () => {
    const recording = await runProgram({ ...RAW, ...BOTH });
    expect(recording.has("pull-secret-kserve-localmodel-jobs-default")).toBe(false);
  });
});
