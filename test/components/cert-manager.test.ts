import { describe, expect, it } from "vitest";
import { runProgram } from "../support/program.ts";
import type { RecordedResource, Recording } from "../support/pulumi-mocks.ts";

const RELEASE = "kubernetes-cert-manager:index:CertManager";
const layerOf = (recording: Recording): RecordedResource =>
  recording.get("cert-manager", "kserve-platform:layer:CertManager");

/** Helm options of the package's release, the part of its inputs that is not a chart value. */
function helmOptionsOf(recording: Recording): Record<string, unknown> {
  return recording.get("cert-manager", RELEASE).inputs["helmOptions"] as Record<string, unknown>;
}

describe("CertManager", () => {
  it("tells what it is and that it stands on nothing", async () => {
    const recording = await runProgram({ mode: "RawDeployment" });
    expect(layerOf(recording).inputs).toEqual({
      product: "cert-manager",
      version: "1.21.1",
      mode: "RawDeployment",
      ingress: "gateway-class",
      kubernetes: "1.34",
      standsOn: {},
      acknowledge: [],
    });
    expect(layerOf(recording).dependsOn).toEqual([
      "crds-cert-manager",
      "crds-gateway-api",
      "leftovers-CertManager",
    ]);
  });

  it("is the release and the wait for it, with the cluster's provider", async () => {
    const recording = await runProgram();
    expect(recording.childrenOf(layerOf(recording))).toEqual([
      "cert-manager",
      "cert-manager-ready",
    ]);
    expect(recording.get("cert-manager", RELEASE).provider).toBe("cluster");
  });

  it("waits by itself, and runs no start-up check of Helm's", async () => {
    const recording = await runProgram();
    expect(helmOptionsOf(recording)["skipAwait"]).toBe(true);
    const { inputs } = recording.get("cert-manager", RELEASE);
    expect(inputs["startupapicheck"]).toMatchObject({ enabled: false });
    const hooks = ["await-cert-manager"];
    expect(recording.get("cert-manager-ready").hooks).toEqual({
      create: hooks,
      update: hooks,
      delete: [],
    });
  });

  it("waits anew for another chart or other values, and for nothing else", async () => {
    const entry = async (raw: object): Promise<unknown> =>
      (await runProgram({ ...raw })).get("cert-manager-ready").inputs["input"];
    const ours = await entry({});
    expect(ours).toEqual(await entry({ kserve: { values: { x: 1 } } }));
    expect(ours).not.toEqual(await entry({ certManager: { replicas: 2 } }));
    expect(ours).toMatchObject({ chart: "cert-manager v1.21.1" });
    expect(await entry({ certManager: { version: "1.20.3" } })).toMatchObject({
      chart: "cert-manager v1.20.3",
    });
  });

  it("fixes the name of the release and its namespace", async () => {
    const recording = await runProgram({ namespaces: { certManager: "certificates" } });
    expect(helmOptionsOf(recording)).toMatchObject({
      name: "cert-manager",
      namespace: "certificates",
    });
  });

  it("does not let the release install the CRDs a second time", async () => {
    const values = helmOptionsOf(await runProgram())["values"] as Record<string, unknown>;
    expect(values).toMatchObject({ crds: { enabled: false } });
  });

  it("gives typed values as inputs and all others as plain Helm values", async () => {
    const recording = await runProgram({
      certManager: {
        values: {
          replicaCount: 2,
          webhook: { replicaCount: 3 },
          enableCertificateOwnerRef: true,
          maxConcurrentChallenges: 7,
        },
      },
    });
    const { helmOptions, ...typed } = recording.get("cert-manager", RELEASE).inputs;
    const { values } = helmOptions as { values: Record<string, unknown> };
    expect(typed).toMatchObject({ replicaCount: 2, webhook: { replicaCount: 3 } });
    expect(values).toMatchObject({ enableCertificateOwnerRef: true, maxConcurrentChallenges: 7 });
    expect(Object.keys(typed).filter((key) => key in values)).toEqual([]);
    expect(typed).not.toHaveProperty("maxConcurrentChallenges");
  });

  it("takes every image of the release from the registry", async () => {
    const recording = await runProgram({ registry: { host: "harbor.test" } });
    const { inputs } = recording.get("cert-manager", RELEASE);
    expect(inputs).toMatchObject({
      image: { repository: "harbor.test/quay.io/jetstack/cert-manager-controller" },
      webhook: { image: { repository: "harbor.test/quay.io/jetstack/cert-manager-webhook" } },
      cainjector: { image: { repository: "harbor.test/quay.io/jetstack/cert-manager-cainjector" } },
    });
  });

  it("takes the start-up check's image along only where the stack turns the check on", async () => {
    const registry = { host: "harbor.test" };
    const check = { repository: "harbor.test/quay.io/jetstack/cert-manager-startupapicheck" };
    const values = { startupapicheck: { enabled: true } };
    const on = await runProgram({ registry, certManager: { values } });
    expect(on.get("cert-manager", RELEASE).inputs["startupapicheck"]).toMatchObject({
      enabled: true,
      image: check,
    });
  });
});
