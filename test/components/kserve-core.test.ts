import { describe, expect, it } from "vitest";
import { KSERVE_15, KSERVE_16, runProgram } from "../support/program.ts";
import type { Recording } from "../support/pulumi-mocks.ts";

const RUNTIMES = "ClusterServingRuntime,ServingRuntime";
const JUDGED = `${RUNTIMES},LLMInferenceServiceConfig`;
const LLM_WEBHOOKS = ["llminferenceservice", "llminferenceserviceconfig"]
  .map((name) => `ValidatingWebhookConfiguration/${name}.serving.kserve.io`)
  .join(",");
const JOBS = "Namespace/kserve-localmodel-jobs";

/** Arguments of a chart's post-renderer, without the path of the script. */
function kindsOf(recording: Recording, name: string): unknown[] {
  const { args } = recording.get(name).inputs["postRenderer"] as { args: unknown[] };
  // Behind the selection stands the namespace, for every chart.
  expect(args.slice(-2)).toEqual(["--namespace", recording.get(name).inputs["namespace"]]);
  return args.slice(1, -2);
}

describe("KServeCore", () => {
  it("tells what it is and every layer that it stands on", async () => {
    const layer = (await runProgram()).get("kserve");
    expect(layer.type).toBe("kserve-platform:layer:KServeCore");
    expect(layer.inputs).toMatchObject({
      product: "kserve",
      version: "0.20.0",
      mode: "Serverless",
      standsOn: {
        "cert-manager": "1.21.1",
        "gateway-api": "1.5.1",
        istio: "1.28.10",
        "knative-serving": "1.20.2",
      },
    });
    expect(layer.dependsOn).toEqual(expect.arrayContaining(["knative-serving", "istio-istiod"]));
  });

  it("stands in RawDeployment mode without ingress on cert-manager alone", async () => {
    const recording = await runProgram({ mode: "RawDeployment", ingress: { type: "none" } });
    const layer = recording.get("kserve");
    expect(layer.inputs["standsOn"]).toEqual({ "cert-manager": "1.21.1" });
    expect(layer.dependsOn).toEqual([
      "leftovers-KServeCore",
      "crds-cert-manager",
      "crds-kserve-crd",
      "cert-manager",
      "cert-manager-ready",
    ]);
  });

  it.each([
    ["0.20.0", {}, "kserve-runtime-configs", []],
    ["0.16.0", KSERVE_16, "kserve", ["--leave-out", `${JOBS},${LLM_WEBHOOKS}`]],
    ["0.15.2", KSERVE_15, "kserve", ["--leave-out", JOBS]],
  ])("places the runtimes of %s after the controller", async (version, raw, chart, leaveOut) => {
    const recording = await runProgram(raw);
    const runtimes = recording.get("kserve-runtimes");
    const own = chart === "kserve" ? leaveOut : [];
    expect(kindsOf(recording, "kserve-runtimes")).toEqual(["--only", RUNTIMES, ...own]);
    expect(kindsOf(recording, "kserve-controller")).toEqual(["--except", JUDGED, ...leaveOut]);
    expect(runtimes.inputs).toMatchObject({
      chart: `oci://ghcr.io/kserve/charts/${chart}`,
      version: `v${version}`,
    });
    expect(runtimes.objectsDependOn).toEqual(["kserve-controller-ready"]);
    expect(runtimes.dependsOn).toEqual([]);
  });

  it("renders both steps of one chart with the same values", async () => {
    const recording = await runProgram(KSERVE_16);
    const [controller, runtimes] = ["kserve-controller", "kserve-runtimes"].map((name) =>
      recording.get(name),
    );
    expect(runtimes?.inputs["values"]).toEqual(controller?.inputs["values"]);
    expect(runtimes?.inputs["chart"]).toBe(controller?.inputs["chart"]);
    expect(runtimes?.inputs["resourcePrefix"]).not.toBe(controller?.inputs["resourcePrefix"]);
  });

  it("starts where every kind is there that it looks for, once, at its start", async () => {
    const serverless = await runProgram();
    expect(serverless.get("kserve").dependsOn).toEqual(
      expect.arrayContaining([
        "crds-kserve-crd",
        "crds-gateway-api",
        "crds-base",
        "knative-serving",
        "knative-ready",
        "istio-istiod-ready",
        "cert-manager-ready",
      ]),
    );
    const raw = await runProgram({ mode: "RawDeployment", ingress: { type: "envoy" } });
    expect(raw.get("kserve").dependsOn).toEqual(
      expect.arrayContaining(["crds-gateway-api", "envoy-gateway-controller-ready"]),
    );
    expect(serverless.get("kserve-controller").parent).toBe(serverless.get("kserve").urn);
  });

  it("passes every chart through the transforms", async () => {
    const recording = await runProgram();
    const charts = recording.ofType("kubernetes:helm.sh/v4:Chart");
    expect(charts.length).toBe(9);
    expect(charts.filter((chart) => chart.transforms !== 1)).toEqual([]);
    expect(charts.filter((chart) => chart.provider !== "cluster")).toEqual([]);
  });

  it("orders every chart that it places, tells nobody, and waits by itself", async () => {
    const recording = await runProgram();
    const placed = recording
      .ofType("kubernetes:helm.sh/v4:Chart")
      .filter(({ name }) => !name.startsWith("crds-"));
    expect(placed.length).toBeGreaterThan(4);
    for (const chart of placed) {
      const { command, args } = chart.inputs["postRenderer"] as { command: string; args: string[] };
      expect([command, args[0]], chart.name).toEqual([
        process.execPath,
        expect.stringMatching(/arrange\.mjs$/),
      ]);
      expect(chart.sample, chart.name).toEqual({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "sample", annotations: { "pulumi.com/skipAwait": "true" } },
      });
    }
  });

  it("offers the model registry from the mirror, after the controller", async () => {
    const image = "docker.io/kubeflow/model-registry-storage-initializer:v0.3.0";
    const raw = { features: { modelRegistry: { image } }, registry: { host: "harbor.test" } };
    const container = (await runProgram(raw)).get("kserve-model-registry");
    expect(container.inputs).toMatchObject({
      kind: "ClusterStorageContainer",
      spec: {
        container: { name: "storage-initializer", image: `harbor.test/${image}` },
        supportedUriFormats: [{ regex: "^model-registry://" }],
      },
    });
    expect(container.dependsOn).toEqual(["kserve-controller-ready"]);
    expect((await runProgram()).has("kserve-model-registry")).toBe(false);
  });

  it("claims a volume for models where the stack names a storage class", async () => {
    const raw = { storage: { className: "nfs-csi", size: "200Gi" } };
    const claim = (await runProgram(raw)).get("kserve-models");
    expect(claim.inputs).toMatchObject({
      metadata: {
        name: "kserve-models",
        namespace: "kserve",
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: {
        accessModes: ["ReadWriteMany"],
        storageClassName: "nfs-csi",
        resources: { requests: { storage: "200Gi" } },
      },
    });
    expect((await runProgram()).has("kserve-models")).toBe(false);
  });
});
