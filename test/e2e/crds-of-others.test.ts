/** A cluster on which somebody else installed Istio's and cert-manager's CRDs before us. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { clients, crdNames, freshSession, run, useStack } from "./support.ts";

const NAME = "e2e-crds";
const THEIRS = [
  "certificates.cert-manager.io",
  "issuers.cert-manager.io",
  "virtualservices.networking.istio.io",
];
let session: Session;

beforeAll(async () => {
  session = await freshSession(NAME);
  await installTheirs();
  for (const name of THEIRS) await untilServed(name);
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

/** Applies the CRDs of the charts at hand as another owner would, with a label of theirs and an object of theirs. */
async function installTheirs(): Promise<void> {
  const folder = session.charts.path ?? "";
  const charts = (await readdir(folder)).filter(
    (name) => /^(cert-manager|base)-/.test(name) && !name.endsWith(".yaml"),
  );
  const newest = charts.sort().reverse();
  const { custom } = clients(session);
  for (const chart of [
    newest.find((name) => name.startsWith("base-")),
    newest.find((name) => name.startsWith("cert-manager-")),
  ]) {
    const args = [
      "template",
      "theirs",
      join(folder, chart ?? ""),
      "--include-crds",
      "--set",
      "crds.enabled=true",
      "--kube-version",
      "1.34.3",
    ];
    const text = execFileSync(session.tools.helm.path, args, { maxBuffer: 1 << 28 }).toString();
    const crds = parseAllDocuments(text)
      .map((document) => document.toJS() as KubernetesObject | null)
      .filter((object) => object?.kind === "CustomResourceDefinition");
    for (const crd of crds) {
      if (crd === null) continue;
      // As a plain object: the typed client leaves out schema keys that it does not know.
      await custom.createClusterCustomObject({
        group: "apiextensions.k8s.io",
        version: "v1",
        plural: "customresourcedefinitions",
        body: {
          ...crd,
          metadata: { ...crd.metadata, labels: { ...crd.metadata?.labels, owner: "theirs" } },
        },
      });
    }
  }
}

async function untilServed(name: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const crd = await clients(session).crds.readCustomResourceDefinition({ name });
    const established = crd.status?.conditions?.find(
      (condition) => condition.type === "Established",
    );
    if (established?.status === "True") return;
    await sleep(100);
  }
  throw new Error(`${name} is not served after ten seconds`);
}

async function ownerOf(name: string): Promise<string | undefined> {
  const crd = await clients(session).crds.readCustomResourceDefinition({ name });
  return crd.metadata?.labels?.["owner"];
}

it("installs over them and keeps what is theirs", async () => {
  await useStack(session, "Pulumi.sandbox.yaml");
  await clients(session).core.createNamespace({ body: { metadata: { name: "theirs" } } });
  await clients(session).objects.create({
    apiVersion: "cert-manager.io/v1",
    kind: "Issuer",
    metadata: { name: "theirs", namespace: "theirs" },
    spec: { selfSigned: {} },
  } as KubernetesObject);
  expect((await run(session, "up")).code).toBe(0);
  for (const name of THEIRS) expect(await ownerOf(name)).toBe("theirs");
});

it("leaves their CRDs and objects when it goes", async () => {
  expect((await run(session, "destroy")).code).toBe(0);
  expect(await crdNames(session)).toEqual(expect.arrayContaining(THEIRS));
  const issuer: unknown = await clients(session).custom.getNamespacedCustomObject({
    group: "cert-manager.io",
    version: "v1",
    namespace: "theirs",
    plural: "issuers",
    name: "theirs",
  });
  expect(issuer).toMatchObject({ metadata: { name: "theirs" } });
});

it("deletes CRDs only where the stack asks for it, and only with its program", async () => {
  await useStack(session, "Pulumi.sandbox.yaml", {
    mode: "RawDeployment",
    ingress: { type: "gateway-class", domain: "sandbox.local" },
    gatewayApi: { deleteCrdsOnDestroy: true },
  });
  expect((await run(session, "up")).code).toBe(0);
  const refused = await run(session, "destroy", "--run-program=false");
  expect(refused.code).not.toBe(0);
  expect(refused.output).toContain("--run-program");
  expect((await run(session, "destroy")).code).toBe(0);
  const left = await crdNames(session);
  expect(left.filter((name) => name.endsWith(".gateway.networking.k8s.io"))).toEqual([]);
  expect(left).toEqual(expect.arrayContaining(THEIRS));
});
