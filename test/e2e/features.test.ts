/**
 * LLMInferenceService and the local model cache in both chart layouts, from a registry with a pull secret: installed,
 * nothing to do, one switched off, away. Steps stand on each other.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { runPulumi } from "../../sandbox/session/pulumi.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { loadCatalog } from "../../versions/catalog.ts";
import { clients, crdNames, freshSession, namespaceNames, run, useStack } from "./support.ts";

const NAME = "e2e-features";
const HOST = "10.61.3.31:35000";
const JOBS = "kserve-localmodel-jobs";
const PULL = { name: "kserve-registry" };
const catalog = loadCatalog();

describe.each([catalog.defaultSet.kserve, "0.16.0"])("KServe %s", (version) => {
  const { crds, llm } = catalog.get("kserve", version);
  let session: Session;

  const configure = async (features: Record<string, unknown>): Promise<void> => {
    await useStack(session, "Pulumi.airgap.yaml", {
      mode: "RawDeployment",
      ingress: { type: "gateway-class" },
      registry: { host: HOST, pullSecret: { username: "robot" } },
      kserve: { version },
      features,
    });
    const secret = ["--secret", "--path", "kserve:registry.pullSecret.password", "a-password"];
    await runPulumi(session.context, ["config", "set", "--stack", "e2e", ...secret]);
  };

  const podNames = async (): Promise<string> => {
    const { items } = await clients(session).core.listNamespacedPod({ namespace: "kserve" });
    return items.map(({ metadata }) => metadata?.name ?? "").join();
  };

  beforeAll(async () => {
    session = await freshSession(NAME);
  });
  afterAll(async () => {
    await stopCluster({ name: NAME });
  });

  it("installs controllers, agent and presets", async () => {
    await configure({ llm: true, localModel: true });
    expect((await run(session, "up")).code).toBe(0);
    const found = await crdNames(session);
    const missing = (crds?.items ?? []).filter(({ name }) => !found.includes(name));
    expect(missing).toEqual([]);
    const item = crds?.items.find(({ kind }) => kind === "LLMInferenceServiceConfig");
    const presets = await clients(session).objects.list(
      `serving.kserve.io/${item?.versions[0] ?? ""}`,
      "LLMInferenceServiceConfig",
      "kserve",
    );
    expect(presets.items.map(({ metadata }) => metadata?.name).sort()).toEqual(
      [...(llm?.presets.names ?? [])].sort(),
    );
    expect(await podNames()).toContain("llmisvc-controller");
    expect(await podNames()).toContain("localmodel-controller");
  });

  it("takes every image from the registry, with the pull secret wherever pods are made", async () => {
    const { core } = clients(session);
    const pods = await core.listNamespacedPod({ namespace: "kserve" });
    expect(pods.items.length).toBeGreaterThanOrEqual(3);
    for (const { spec } of pods.items) {
      const images = spec?.containers.map(({ image }) => image ?? "") ?? [];
      expect(images.filter((image) => !image.startsWith(`${HOST}/`))).toEqual([]);
      expect(spec?.imagePullSecrets).toContainEqual(PULL);
    }
    const jobs = await core.readNamespacedServiceAccount({ name: "default", namespace: JOBS });
    expect(jobs.imagePullSecrets).toEqual([PULL]);
    const secret = await core.readNamespacedSecret({ name: PULL.name, namespace: JOBS });
    expect(secret.type).toBe("kubernetes.io/dockerconfigjson");
  });

  it("proposes nothing the second time", async () => {
    expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  });

  it("takes one feature away without touching the other, and keeps its definitions", async () => {
    await configure({ localModel: true });
    expect((await run(session, "up")).code).toBe(0);
    expect(await podNames()).not.toContain("llmisvc");
    expect(await podNames()).toContain("localmodel");
    expect(await crdNames(session)).toContain("llminferenceservices.serving.kserve.io");
  });

  it("goes away but for definitions", async () => {
    expect((await run(session, "destroy")).code).toBe(0);
    expect(await namespaceNames(session)).toEqual([]);
  });
});
