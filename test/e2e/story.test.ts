/**
 * The life of a stack on the embedded cluster, from an empty cluster to an empty cluster. Steps stand on each other.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { BOUNDS } from "../../bench/bounds.ts";
import { weigh } from "../../bench/state.ts";
import type { StackWeight } from "../../bench/state.ts";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { proveRefusal, refusals } from "../../sandbox/session/negative-proof.ts";
import type { Session } from "../../sandbox/session/session.ts";
import {
  clients,
  clusterObjectNames,
  crdNames,
  freshSession,
  namespaceNames,
  ROOT,
  run,
  useStack,
} from "./support.ts";

const NAME = "e2e-story";
let session: Session;

beforeAll(async () => {
  session = await freshSession(NAME);
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

/** Counts of the installed stack that are past their bound. */
async function excess(bound: StackWeight): Promise<string[]> {
  const weight = await weigh(session, "e2e");
  process.stdout.write(`  weight: ${JSON.stringify(weight)}\n`);
  return (Object.keys(bound) as (keyof StackWeight)[])
    .filter((key) => weight[key] > bound[key] || weight[key] === 0)
    .map((key) => `${key}: ${String(weight[key])}, bound ${String(bound[key])}`);
}

describe("Serverless", () => {
  it("installs every layer", async () => {
    await useStack(session, "Pulumi.sandbox.yaml");
    expect((await run(session, "up")).code).toBe(0);
    expect(await namespaceNames(session)).toEqual([
      "cert-manager",
      "istio-system",
      "knative-operator",
      "knative-serving",
      "kserve",
    ]);
  });

  it("weighs no more than what is recorded", async () => {
    expect(await excess(BOUNDS.Serverless)).toEqual([]);
  });

  it("has a KnativeServing that is ready at exactly the version asked for", async () => {
    const serving = (await clients(session).custom.getNamespacedCustomObject({
      group: "operator.knative.dev",
      version: "v1beta1",
      namespace: "knative-serving",
      plural: "knativeservings",
      name: "knative-serving",
    })) as {
      spec: { version: string };
      status: { version: string; conditions: { type: string; status: string }[] };
    };
    expect(serving.status.version).toBe(serving.spec.version);
    expect(serving.status.conditions).toContainEqual(
      expect.objectContaining({ type: "Ready", status: "True" }),
    );
  });

  it("writes mode, domain and ingress into inferenceservice-config", async () => {
    const config = await clients(session).core.readNamespacedConfigMap({
      name: "inferenceservice-config",
      namespace: "kserve",
    });
    const deploy = parse(config.data?.["deploy"] ?? "") as Record<string, unknown>;
    const ingress = parse(config.data?.["ingress"] ?? "") as Record<string, unknown>;
    expect(deploy["defaultDeploymentMode"]).toBe("Knative");
    expect(ingress["ingressDomain"]).toBe("sandbox.local");
  });

  it("brings the runtimes, which can only go in after the webhook", async () => {
    const runtimes = await clusterObjectNames(
      session,
      "serving.kserve.io/v1alpha1",
      "ClusterServingRuntime",
    );
    expect(runtimes).toContain("kserve-sklearnserver");
    expect(runtimes.length).toBeGreaterThan(9);
  });

  it("proposes nothing the second time", async () => {
    expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  });
});

describe("refusals", () => {
  it("refuses an incompatible set by policy alone, and changes nothing", async () => {
    const before = await crdNames(session);
    const result = await proveRefusal(session, `${ROOT}/Pulumi.sandbox.yaml`);
    expect(result.code).not.toBe(0);
    const report = refusals(result.output).join("\n");
    expect(report).toContain("compat-kserve-istio");
    expect(report).toContain("Istio 1.28.10");
    expect(await crdNames(session)).toEqual(before);
  });

  it("previews the air-gapped stack without an image from outside its registry", async () => {
    await useStack(session, "Pulumi.airgap.yaml");
    expect((await run(session, "preview")).code).toBe(0);
  });

  it("names an image that was put back by hand through values", async () => {
    await useStack(session, "Pulumi.airgap.yaml", {
      istio: { values: { global: { hub: "docker.io/istio" } } },
    });
    const result = await run(session, "preview");
    expect(result.code).not.toBe(0);
    expect(result.output).toContain("docker.io/istio");
    expect(result.output).toContain("registry-image-allowed");
  });

  it("ends with a report and without a stack trace when the stack file is wrong", async () => {
    await useStack(session, "Pulumi.sandbox.yaml", { knative: { versoin: "1.2.3" } });
    const result = await run(session, "preview");
    expect(result.code).not.toBe(0);
    expect(result.output).toContain("did you mean kserve:knative.version?");
    expect(result.output).not.toMatch(/^\s+at /m);
  });
});

describe("RawDeployment", () => {
  it("switches mode and takes Istio and Knative away", async () => {
    const ingress = {
      type: "gateway-class",
      className: "envoy",
      controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
    };
    await useStack(session, "Pulumi.sandbox.yaml", {
      mode: "RawDeployment",
      ingress: { ...ingress, domain: "sandbox.local" },
    });
    expect((await run(session, "up")).code).toBe(0);
    expect(await namespaceNames(session)).toEqual(["cert-manager", "kserve"]);
    expect(
      await clusterObjectNames(session, "gateway.networking.k8s.io/v1", "GatewayClass"),
    ).toEqual(["envoy"]);
  });

  it("weighs no more than what is recorded", async () => {
    expect(await excess(BOUNDS.RawDeployment)).toEqual([]);
  });

  it("proposes nothing the second time", async () => {
    expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  });
});

describe("destroy", () => {
  it("leaves only what is kept on purpose: the CRDs", async () => {
    const before = await crdNames(session);
    expect((await run(session, "destroy")).code).toBe(0);
    expect(await namespaceNames(session)).toEqual([]);
    expect(await crdNames(session)).toEqual(before);
    expect(
      await clusterObjectNames(
        session,
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
      ),
    ).toEqual([]);
    expect(
      await clusterObjectNames(
        session,
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
      ),
    ).toEqual([]);
  });

  it("can be followed by another install", async () => {
    await useStack(session, "Pulumi.sandbox.yaml");
    expect((await run(session, "up")).code).toBe(0);
    expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  });
});
