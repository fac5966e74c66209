import { beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../support/program.ts";
import { SecretText } from "../support/pulumi-mocks.ts";
import type { Recording } from "../support/pulumi-mocks.ts";

const NAMESPACE = "kubernetes:core/v1:Namespace";
const SECRET = "kubernetes:core/v1:Secret";
const ALL = ["cert-manager", "kserve", "istio-system", "knative-operator", "knative-serving"];
const PASSWORD = "hunter2-and-some-more";
const CA = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";
const registry = {
  host: "harbor.test:5000",
  pullSecret: { username: "robot", password: PASSWORD },
  ca: CA,
};

const namespacesIn = (recording: Recording, type: string): unknown[] =>
  recording
    .ofType(type)
    .map((item) => (item.inputs["metadata"] as { namespace?: string }).namespace);

/** Names of the resources that carry the registry's CA; other ConfigMaps hold records of CRDs, and what storage trusts. */
const certificatesIn = (recording: Recording): string[] =>
  recording
    .ofType("kubernetes:core/v1:ConfigMap")
    .map((item) => item.name)
    .filter((name) => name.startsWith("registry-ca-"));

describe("Namespaces", () => {
  it.each([
    ["Serverless with Istio", {}, ALL],
    [
      "Serverless with Kourier",
      { ingress: { type: "kourier" } },
      ["cert-manager", "knative-operator", "knative-serving", "kserve"],
    ],
    ["RawDeployment", { mode: "RawDeployment" }, ["cert-manager", "kserve"]],
  ])("creates for %s exactly those that its layers use", async (_name, raw, expected) => {
    const recording = await runProgram(raw);
    const names = recording
      .ofType(NAMESPACE)
      .map((item) => (item.inputs["metadata"] as { name: string }).name);
    expect(names.sort()).toEqual([...expected].sort());
    expect(recording.get("namespaces").inputs["namespaces"]).toHaveLength(expected.length);
  });

  it("takes the names of the stack and creates each once", async () => {
    const recording = await runProgram({ namespaces: { kserve: "serving", istio: "serving" } });
    expect(recording.has("namespace-kserve")).toBe(false);
    expect(recording.has("namespace-istio-system")).toBe(false);
    expect(recording.get("namespace-serving").inputs).toMatchObject({
      metadata: { name: "serving" },
    });
  });

  it("creates none where somebody else owns them, and still places the pull secret", async () => {
    const recording = await runProgram({ namespaces: { create: false }, registry }, ["registry"]);
    expect(recording.ofType(NAMESPACE)).toEqual([]);
    expect(namespacesIn(recording, SECRET).sort()).toEqual([...ALL].sort());
  });

  it("warns about privileged pods only where the stack asks for it", async () => {
    const labels = async (raw: Record<string, unknown>): Promise<unknown> =>
      (await runProgram(raw)).get("namespace-kserve").inputs["metadata"];
    expect(await labels({ features: { security: true } })).toMatchObject({
      labels: { "pod-security.kubernetes.io/warn": "baseline" },
    });
    expect(await labels({})).not.toHaveProperty(["labels", "pod-security.kubernetes.io/warn"]);
  });

  it("places no secret and no CA without a registry that needs them", async () => {
    const recording = await runProgram({ registry: { host: "harbor.test" } });
    expect(recording.ofType(SECRET)).toEqual([]);
    expect(certificatesIn(recording)).toEqual([]);
  });
});

describe("namespaces of models", () => {
  const PATCH = "kubernetes:core/v1:ServiceAccountPatch";
  const models = { ...registry, namespaces: ["team-a", "kserve", "team-a"] };

  it("get the pull secret and a default service account that names it, and are not ours", async () => {
    const recording = await runProgram({ registry: models }, ["registry"]);
    expect(recording.has("namespace-team-a")).toBe(false);
    expect(namespacesIn(recording, SECRET).filter((name) => name === "team-a")).toHaveLength(1);
    const patch = recording.get("pull-secret-team-a-default", PATCH);
    expect(patch.inputs).toMatchObject({
      metadata: { name: "default", namespace: "team-a" },
      imagePullSecrets: [{ name: "kserve-registry" }],
    });
    expect(patch.dependsOn).toEqual(["pull-secret-team-a"]);
    expect(recording.get("pull-secret-team-a").visible["stringData"]).toBe(SecretText);
  });

  it("may be one of ours, which has the secret already", async () => {
    const recording = await runProgram({ registry: models }, ["registry"]);
    expect(namespacesIn(recording, SECRET).filter((name) => name === "kserve")).toHaveLength(1);
    expect(namespacesIn(recording, PATCH).sort()).toEqual(["kserve", "team-a"]);
  });

  it("need nothing where the registry asks for no password", async () => {
    const recording = await runProgram({
      registry: { host: "harbor.test", namespaces: ["team-a"] },
    });
    expect(recording.ofType(PATCH)).toEqual([]);
  });
});

describe("trust of the storage initializer", () => {
  const OTHER = CA.replace("abc", "other");
  const trustOf = async (raw: Record<string, unknown>): Promise<unknown> => {
    const recording = await runProgram(raw);
    const values = JSON.stringify(recording.get("kserve-controller").inputs["values"]);
    expect(values.includes("kserve-storage-ca")).toBe(recording.has("kserve-storage-ca"));
    return recording.has("kserve-storage-ca")
      ? recording.get("kserve-storage-ca").inputs["data"]
      : undefined;
  };
  const harbor = { host: "harbor.test", ca: CA };

  it.each([
    ["the registry's CA", { registry: harbor }, { "cabundle.crt": CA }],
    ["its own", { registry: harbor, kserve: { storageCa: OTHER } }, { "cabundle.crt": OTHER }],
    ["its own without a registry", { kserve: { storageCa: OTHER } }, { "cabundle.crt": OTHER }],
    ["none when told", { registry: harbor, kserve: { storageCa: "none" } }, undefined],
    ["none without a CA", { registry: { host: "harbor.test" } }, undefined],
  ])("is %s", async (_name, raw, expected) => {
    expect(await trustOf(raw)).toEqual(expected);
  });

  it("is there before the controller reads its name", async () => {
    const recording = await runProgram({ registry: harbor });
    expect(recording.get("kserve-controller").objectsDependOn).toContain("kserve-storage-ca");
  });
});

describe("a stack with a pull secret and a private CA", () => {
  let recording: Recording;
  beforeAll(async () => {
    recording = await runProgram({ registry }, ["registry"]);
  });

  it("has both in every namespace, after the namespace", () => {
    expect(namespacesIn(recording, SECRET).sort()).toEqual([...ALL].sort());
    expect(certificatesIn(recording).sort()).toEqual(
      ALL.map((name) => `registry-ca-${name}`).sort(),
    );
    for (const name of ALL)
      expect(recording.get(`pull-secret-${name}`).dependsOn).toEqual([`namespace-${name}`]);
    expect(recording.get("registry-ca-kserve").inputs).toMatchObject({
      metadata: { name: "kserve-registry-ca" },
      data: { "ca.crt": CA },
    });
  });

  it("gives the content to the engine as a Pulumi secret", () => {
    for (const secret of recording.ofType(SECRET)) {
      expect(secret.visible["stringData"]).toBe(SecretText);
      const { stringData } = secret.inputs as { stringData: Record<string, string> };
      expect(JSON.parse(stringData[".dockerconfigjson"] ?? "")).toEqual({
        auths: {
          "harbor.test:5000": {
            username: "robot",
            password: PASSWORD,
            auth: Buffer.from(`robot:${PASSWORD}`).toString("base64"),
          },
        },
      });
    }
  });

  it("shows the password nowhere else, plain or encoded", () => {
    const everything = JSON.stringify(recording.resources.map((item) => item.visible));
    expect(recording.resources.length).toBeGreaterThan(20);
    expect(everything).not.toContain(PASSWORD);
    expect(everything).not.toContain(Buffer.from(PASSWORD).toString("base64").slice(0, 20));
    expect(everything).not.toContain(Buffer.from(`robot:${PASSWORD}`).toString("base64"));
  });

  it("refers to the secret wherever pods are made", () => {
    const reference = [{ name: "kserve-registry" }];
    const account = recording.get("istio-gateway", "kubernetes:core/v1:ServiceAccount");
    expect(account.inputs["imagePullSecrets"]).toEqual(reference);
    expect(recording.get("knative-serving").inputs["spec"]).toMatchObject({
      registry: { imagePullSecrets: reference },
    });
    const release = recording.get("cert-manager", "kubernetes-cert-manager:index:CertManager");
    expect(release.inputs).toMatchObject({ global: { imagePullSecrets: reference } });
    for (const chart of ["kserve-controller", "istio-istiod"])
      expect(JSON.stringify(recording.get(chart).inputs["values"])).toContain("kserve-registry");
  });
});
