/** Envoy Gateway as ingress layer of raw deployments, beginning on a stack whose Gateway another layer made. */
import type { KubernetesObject } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import type { Session } from "../../sandbox/session/session.ts";
import {
  clients,
  clusterObjectNames,
  crdNames,
  freshSession,
  namespaceNames,
  run,
  useStack,
} from "./support.ts";

const NAME = "e2e-envoy";
const GATEWAY_API = "gateway.networking.k8s.io/v1";
let session: Session;

beforeAll(async () => {
  session = await freshSession(NAME);
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

const useIngress = (ingress: Record<string, string>): Promise<void> =>
  useStack(session, "Pulumi.sandbox.yaml", {
    mode: "RawDeployment",
    ingress: { ...ingress, domain: "sandbox.local" },
  });

const read = (kind: string, name: string, apiVersion = GATEWAY_API): Promise<KubernetesObject> =>
  clients(session).objects.read({
    apiVersion,
    kind,
    metadata: { name, namespace: "envoy-gateway-system" },
  });

it("takes over class and Gateway of a stack that used a controller of somebody else", async () => {
  const controllerName = "gateway.envoyproxy.io/gatewayclass-controller";
  await useIngress({ type: "gateway-class", className: "envoy", controllerName });
  expect((await run(session, "up")).code).toBe(0);
  const before = await read("GatewayClass", "envoy");
  await useIngress({ type: "envoy" });
  expect((await run(session, "up")).code).toBe(0);
  const after = await read("GatewayClass", "envoy");
  expect(after.metadata?.uid).toBe(before.metadata?.uid);
  expect(after).toMatchObject({ spec: { parametersRef: { kind: "EnvoyProxy", name: "kserve" } } });
  expect(await namespaceNames(session)).toEqual(["cert-manager", "envoy-gateway-system", "kserve"]);
});

it("has everything that certgen would have made, and no definition of the experimental channel", async () => {
  const secret = await clients(session).core.readNamespacedSecret({
    name: "envoy-oidc-hmac",
    namespace: "envoy-gateway-system",
  });
  expect(Buffer.from(secret.data?.["hmac-secret"] ?? "", "base64")).toHaveLength(32);
  for (const name of ["envoy-gateway", "envoy", "envoy-rate-limit"])
    expect(await read("Certificate", name, "cert-manager.io/v1")).toMatchObject({
      spec: { secretName: name },
    });
  const crds = await crdNames(session);
  expect(crds).toContain("envoyproxies.gateway.envoyproxy.io");
  expect(crds).not.toContain("tcproutes.gateway.networking.k8s.io");
});

it("proposes nothing the second time", async () => {
  expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
});

it("leaves only CRDs, and can be installed again", async () => {
  const before = await crdNames(session);
  expect((await run(session, "destroy")).code).toBe(0);
  expect(await namespaceNames(session)).toEqual([]);
  expect(await crdNames(session)).toEqual(before);
  expect(await clusterObjectNames(session, GATEWAY_API, "GatewayClass")).toEqual([]);
  expect((await run(session, "up")).code).toBe(0);
});
