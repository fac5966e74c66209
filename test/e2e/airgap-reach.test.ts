/** Pull secret, private CA and mirror reach everything that pulls, and a preview that forgets one image ends by name. */
import type { KubernetesObject } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { runPulumi } from "../../sandbox/session/pulumi.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { clients, freshSession, run, useStack } from "./support.ts";

const NAME = "e2e-reach";
const SECRET = [{ name: "kserve-registry" }];
const CA = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";
const registry = {
  host: "10.61.3.31:35000",
  pullSecret: { username: "robot" },
  ca: CA,
  nodesPrepared: true,
  namespaces: ["team-a"],
};
interface PodSpec {
  readonly imagePullSecrets?: unknown;
  readonly serviceAccountName?: string;
}
let session: Session;

async function configure(more: Record<string, unknown> = {}): Promise<void> {
  await useStack(session, "Pulumi.airgap.yaml", { registry, ...more });
  const path = "kserve:registry.pullSecret.password";
  const set = ["config", "set", "--stack", "e2e", "--secret", "--path", path, "battery-staple"];
  await runPulumi(session.context, set);
}

beforeAll(async () => {
  session = await freshSession(NAME);
  await configure();
  const { core } = clients(session);
  const metadata = { name: "team-a" };
  await core.createNamespace({ body: { metadata } });
  // The controller that makes it in a namespace may be slower than the install.
  await core
    .createNamespacedServiceAccount({
      namespace: "team-a",
      body: { metadata: { name: "default" } },
    })
    .catch(() => undefined);
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

it("installs, and changes nothing the second time", async () => {
  expect((await run(session, "up")).code).toBe(0);
  expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
});

it("names the pull secret for the pods of every layer, in the template or by the account", async () => {
  const { objects, core } = clients(session);
  const { items: accounts } = await core.listServiceAccountForAllNamespaces();
  const named = new Set(
    accounts
      .filter((account) => JSON.stringify(account.imagePullSecrets) === JSON.stringify(SECRET))
      .map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`),
  );
  const missing: string[] = [];
  for (const kind of ["Deployment", "DaemonSet", "StatefulSet"]) {
    const { items } = await objects.list<KubernetesObject>("apps/v1", kind);
    for (const item of items) {
      const { template } = (item as { spec?: { template?: { spec?: object } } }).spec ?? {};
      const { namespace = "", name = "" } = item.metadata ?? {};
      const pod = (template?.spec ?? {}) as PodSpec;
      const byTemplate = JSON.stringify(pod.imagePullSecrets) === JSON.stringify(SECRET);
      const byAccount = named.has(`${namespace}/${pod.serviceAccountName ?? "default"}`);
      if (namespace !== "kube-system" && !byTemplate && !byAccount) missing.push(name);
    }
  }
  expect(missing).toEqual([]);
});

it("names it in the default service account of a namespace of models, and in the runtimes", async () => {
  const { core, custom } = clients(session);
  const account = await core.readNamespacedServiceAccount({ name: "default", namespace: "team-a" });
  expect(account.imagePullSecrets).toEqual(SECRET);
  const runtimes = (await custom.listClusterCustomObject({
    group: "serving.kserve.io",
    version: "v1alpha1",
    plural: "clusterservingruntimes",
  })) as { items: { spec: { imagePullSecrets?: unknown } }[] };
  expect(runtimes.items.length).toBeGreaterThan(5);
  for (const { spec } of runtimes.items) expect(spec.imagePullSecrets).toEqual(SECRET);
});

it("tells KServe about the router's secret and the storage initializer's trust", async () => {
  const { core } = clients(session);
  const read = async (name: string): Promise<Record<string, string>> =>
    (await core.readNamespacedConfigMap({ name, namespace: "kserve" })).data ?? {};
  const config = await read("inferenceservice-config");
  expect(JSON.parse(config["router"] ?? "")).toMatchObject({
    imagePullSecrets: ["kserve-registry"],
  });
  expect(JSON.parse(config["storageInitializer"] ?? "")).toMatchObject({
    caBundleConfigMapName: "kserve-storage-ca",
  });
  expect((await read("kserve-storage-ca"))["cabundle.crt"]).toBe(CA);
});

it("ends a preview that moves all images but one, and names it", async () => {
  const values = { registry: { override: { "activator/activator": null } } };
  await configure({ knative: { values } });
  const { code, output } = await run(session, "preview");
  expect(code).not.toBe(0);
  expect(output).toContain("registry-image-allowed");
  expect(output).toContain("serving/cmd/activator");
  expect(output).toContain('spec.registry.override["activator/activator"]');
});

it("goes away without a trace in the namespace of models", async () => {
  await configure();
  expect((await run(session, "destroy")).code).toBe(0);
  const { core } = clients(session);
  const account = await core.readNamespacedServiceAccount({ name: "default", namespace: "team-a" });
  expect(account.imagePullSecrets ?? []).toEqual([]);
  const { items } = await core.listNamespacedSecret({ namespace: "team-a" });
  expect(items.map((item) => item.metadata?.name)).not.toContain("kserve-registry");
});
