/** LLMInferenceService and the local model cache, from a registry with a pull secret: up, nothing to do, switched off, away. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { runPulumi } from "../../sandbox/session/pulumi.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { loadCatalog } from "../../versions/catalog.ts";
import { clients, crdNames, freshSession, namespaceNames, run, useStack } from "./support.ts";

const NAME = "e2e-features";
const HOST = "10.61.3.31:35000";
const JOBS = "kserve-localmodel-jobs";
const VERSION = process.env["E2E_KSERVE"] ?? loadCatalog().defaultSet.kserve;
const release = loadCatalog().get("kserve", VERSION);
let session: Session;

async function configure(features: Record<string, unknown>): Promise<void> {
  await useStack(session, "Pulumi.airgap.yaml", {
    mode: "RawDeployment",
    ingress: { type: "gateway-class" },
    registry: { host: HOST, pullSecret: { username: "robot" } },
    kserve: { version: VERSION },
    features,
  });
  const path = "kserve:registry.pullSecret.password";
  await runPulumi(session.context, [
    "config",
    "set",
    "--stack",
    "e2e",
    "--secret",
    "--path",
    path,
    "a-word",
  ]);
}

beforeAll(async () => {
  session = await freshSession(NAME);
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

it("installs controllers, agent and presets", async () => {
  await configure({ llm: true, localModel: true });
  expect((await run(session, "up")).code).toBe(0);
  const crds = await crdNames(session);
  expect(
    (release.crds?.items ?? []).map(({ name }) => name).filter((name) => !crds.includes(name)),
  ).toEqual([]);
  expect(await namespaceNames(session)).toContain(JOBS);
  const { objects } = clients(session);
  const apiVersion = VERSION.startsWith("0.16")
    ? "serving.kserve.io/v1alpha1"
    : "serving.kserve.io/v1alpha2";
  const presets = await objects.list(apiVersion, "LLMInferenceServiceConfig", "kserve");
  expect(presets.items.map(({ metadata }) => metadata?.name).sort()).toEqual(
    [...(release.llm?.presets.names ?? [])].sort(),
  );
});

it("takes every image from the registry, with the pull secret wherever pods are made", async () => {
  const { core } = clients(session);
  const pods = await core.listNamespacedPod({ namespace: "kserve" });
  const names = pods.items.map(({ metadata }) => metadata?.name ?? "");
  for (const part of ["llmisvc-controller-manager", "kserve-localmodel-controller-manager"])
    expect(
      names.some((name) => name.includes(part)),
      part,
    ).toBe(true);
  for (const { spec } of pods.items) {
    expect(spec?.containers.filter(({ image }) => !(image ?? "").startsWith(`${HOST}/`))).toEqual(
      [],
    );
    expect(spec?.imagePullSecrets).toContainEqual({ name: "kserve-registry" });
  }
  const jobs = await core.readNamespacedServiceAccount({ name: "default", namespace: JOBS });
  expect(jobs.imagePullSecrets).toEqual([{ name: "kserve-registry" }]);
  await core.readNamespacedSecret({ name: "kserve-registry", namespace: JOBS });
});

it("proposes nothing the second time", async () => {
  expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
});

it("takes a feature away again without touching the rest", async () => {
  await configure({ localModel: true });
  expect((await run(session, "up")).code).toBe(0);
  const { items } = await clients(session).core.listNamespacedPod({ namespace: "kserve" });
  const names = items.map(({ metadata }) => metadata?.name ?? "").join();
  expect([names.includes("llmisvc"), names.includes("localmodel")]).toEqual([false, true]);
  expect(await crdNames(session)).toContain("llminferenceservices.serving.kserve.io");
});

it("goes away but for definitions", async () => {
  expect((await run(session, "destroy")).code).toBe(0);
  expect(await namespaceNames(session)).toEqual([]);
});
