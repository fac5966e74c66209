/** What happens when the API server dies in the middle of an install. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startComponent, stopCluster, stopComponent } from "../../sandbox/cluster/index.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { clients, freshSession, namespaceNames, run, useStack } from "./support.ts";

const NAME = "e2e-faults";
const component = "kube-apiserver";
let session: Session;

beforeAll(async () => {
  session = await freshSession(NAME);
  const ingress = { type: "gateway-class", className: "envoy", domain: "sandbox.local" };
  await useStack(session, "Pulumi.sandbox.yaml", { mode: "RawDeployment", ingress });
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

it("finishes the job with a second up", async () => {
  const interrupted = run(session, "up");
  await untilNamespacesExist();
  await stopComponent({ name: NAME, component });
  await sleep(3_000);
  await startComponent({ name: NAME, component });
  const first = await interrupted;
  // The first run may fail or have ridden it out; what counts is that the next one ends well and changes nothing more.
  const second = first.code === 0 ? first : await run(session, "up");
  expect(second.code).toBe(0);
  expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  const deployment = await clients(session).objects.read({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "kserve-controller-manager", namespace: "kserve" },
  });
  expect(deployment.metadata?.name).toBe("kserve-controller-manager");
});

async function untilNamespacesExist(): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if ((await namespaceNames(session)).includes("cert-manager")) return;
    await sleep(200);
  }
  throw new Error("the install did not start within two minutes");
}
