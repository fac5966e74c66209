/**
 * Taking the platform away while somebody uses it. Controllers are simulated, so the test plays the one that takes a
 * finalizer away, and istiod where it writes into every namespace.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import type { Session } from "../../sandbox/session/session.ts";
import {
  clients,
  clusterObjectNames,
  freshSession,
  namespaceNames,
  run,
  useStack,
} from "./support.ts";

const NAME = "e2e-destroy";
const KNATIVE_SERVICES = { group: "serving.knative.dev", version: "v1", plural: "services" };
const INFERENCE_SERVICE = {
  group: "serving.kserve.io",
  version: "v1beta1",
  plural: "inferenceservices",
  namespace: "default",
  name: "sklearn",
};
let session: Session;

beforeAll(async () => {
  session = await freshSession(NAME);
  await useStack(session, "Pulumi.sandbox.yaml");
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

async function create(object: Record<string, unknown>): Promise<void> {
  await clients(session).objects.create(object);
}

/** Knative's operator, simulated, brings no definitions. */
async function defineKnativeServices(): Promise<void> {
  const { group, version, plural } = KNATIVE_SERVICES;
  const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await create({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind: "Service" },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  });
  await sleep(2_000);
}

const rootCertificate = (namespace: string, data: object): Record<string, unknown> => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "istio-ca-root-cert", namespace, labels: { "istio.io/config": "true" } },
  data,
});

it("is installed", async () => {
  expect((await run(session, "up")).code).toBe(0);
});

describe("a platform that is in use", () => {
  beforeAll(async () => {
    await defineKnativeServices();
    const metadata = { name: "sklearn", namespace: "default" };
    await create({
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { ...metadata, finalizers: ["inferenceservice.finalizers"] },
      spec: {},
    });
    const owner = (await clients(session).custom.getNamespacedCustomObject(INFERENCE_SERVICE)) as {
      metadata: { uid: string };
    };
    const { uid } = owner.metadata;
    const { group, version } = KNATIVE_SERVICES;
    await create({
      apiVersion: `${group}/${version}`,
      kind: "Service",
      metadata: {
        name: "sklearn-predictor",
        namespace: "default",
        ownerReferences: [
          {
            apiVersion: "serving.kserve.io/v1beta1",
            kind: "InferenceService",
            name: "sklearn",
            uid,
          },
        ],
      },
    });
    await create({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "theirs", namespace: "default" },
      spec: { parentRefs: [{ name: "kserve-ingress-gateway", namespace: "kserve" }] },
    });
    await create({
      apiVersion: "cert-manager.io/v1",
      kind: "Issuer",
      metadata: { name: "theirs", namespace: "default" },
      spec: { selfSigned: {} },
    });
    await clients(session).core.createNamespace({ body: { metadata: { name: "theirs" } } });
    await create(rootCertificate("default", { "root-cert.pem": "istiod's" }));
    await create(rootCertificate("theirs", { "root-cert.pem": "theirs", "other.pem": "theirs" }));
  });

  it("is not destroyed, and says who uses it and what to do", async () => {
    const result = await run(session, "destroy");
    expect(result.code).not.toBe(0);
    expect(result.output).toMatch(
      /\[destroy-in-use\][^]*2 objects of others: HTTPRoute default\/theirs, InferenceService default\/sklearn/,
    );
    expect(result.output).toContain("kserve:destroy.withServices");
    expect(result.output).toContain("Issuer default/theirs");
    expect(await namespaceNames(session)).toContain("kserve");
    expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  });

  it("says in the preview already that it would not be destroyed", async () => {
    const result = await run(session, "destroy", "--skip-preview=false");
    expect(result.output).toContain("[destroy-in-use]");
    expect(result.output).toContain("Preview failed");
    expect(result.code).not.toBe(0);
  });

  it("does not lose Knative to another mode while one of its services runs", async () => {
    const ingress = { type: "none", domain: "sandbox.local" };
    await useStack(session, "Pulumi.sandbox.yaml", { mode: "RawDeployment", ingress });
    const result = await run(session, "preview");
    expect(result.code).not.toBe(0);
    expect(result.output).toContain(
      "Service default/sklearn-predictor (of InferenceService sklearn)",
    );
  });

  it("is not destroyed by a stack file that is wrong, which is reported", async () => {
    await useStack(session, "Pulumi.sandbox.yaml", { destroy: { withService: true } });
    const result = await run(session, "destroy");
    expect(result.code).not.toBe(0);
    expect(result.output).toContain("did you mean kserve:destroy.withServices?");
    expect(await namespaceNames(session)).toContain("kserve");
  });

  it("needs its program to go, which the engine says", async () => {
    await useStack(session, "Pulumi.sandbox.yaml");
    const result = await run(session, "destroy", "--run-program=false");
    expect(result.code).not.toBe(0);
    expect(result.output).toContain("--run-program");
  });

  it("takes the services away first where the stack says so, while their controller is there", async () => {
    await useStack(session, "Pulumi.sandbox.yaml", { destroy: { withServices: true } });
    const [result] = await Promise.all([run(session, "destroy"), playController()]);
    expect(result.code).toBe(0);
    expect(await namespaceNames(session)).toEqual(["theirs"]);
  });

  it("leaves no certificate of istiod's behind, and what is not istiod's alone", async () => {
    const { items } = await clients(session).core.listConfigMapForAllNamespaces({
      fieldSelector: "metadata.name=istio-ca-root-cert",
    });
    expect(items.map(({ metadata }) => metadata?.namespace)).toEqual(["theirs"]);
    const classes = await clusterObjectNames(
      session,
      "gateway.networking.k8s.io/v1",
      "GatewayClass",
    );
    expect(classes).toEqual([]);
  });
});

/** What KServe's controller does with a service that is being deleted; all of the platform has to be there still. */
async function playController(): Promise<void> {
  const { custom } = clients(session);
  for (;;) {
    const service = (await custom.getNamespacedCustomObject(INFERENCE_SERVICE)) as {
      metadata: { deletionTimestamp?: string; finalizers?: string[] };
    };
    if (service.metadata.deletionTimestamp !== undefined) {
      expect(await namespaceNames(session)).toContain("knative-serving");
      await sleep(3_000);
      const body = { ...service, metadata: { ...service.metadata, finalizers: [] } };
      await custom.replaceNamespacedCustomObject({ ...INFERENCE_SERVICE, body });
      return;
    }
    await sleep(500);
  }
}
