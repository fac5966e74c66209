/**
 * A small process of the sandbox: gives every Service of type LoadBalancer an address; kube-proxy does the rest. What it
 * gave is in the Services themselves, so that another process goes on where this one stops.
 *
 * Usage: node load-balancer.ts <kubeconfig> <prefix of a /24, such as 10.201.1.>
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import type { V1Service } from "@kubernetes/client-node";
import { missingAddresses } from "./balancer-addresses.ts";

const RETRY_MS = 1_000;
const [kubeconfig = "", prefix = ""] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const api = config.makeApiClient(CoreV1Api);
const informer = makeInformer(config, "/api/v1/services", () => api.listServiceForAllNamespaces());
let changed = true;

for (const verb of ["add", "update", "delete"] as const)
  informer.on(verb, () => {
    changed = true;
  });
informer.on("error", (error: unknown) => {
  say(`watch: ${String(error)}`);
  setTimeout(start, RETRY_MS);
});
start();
for (;;) {
  if (changed) {
    changed = false;
    await giveAll();
  }
  await sleep(100);
}

function start(): void {
  informer.start().catch((error: unknown) => {
    say(`list: ${String(error)}`);
    setTimeout(start, RETRY_MS);
  });
}

/** Asks for all Services anew: a list in one piece shows every address that is taken, events come one by one. */
async function giveAll(): Promise<void> {
  try {
    const { items } = await api.listServiceForAllNamespaces();
    for (const [service, address] of missingAddresses(items, prefix)) await give(service, address);
  } catch (error) {
    say(String(error));
    changed = true;
    await sleep(RETRY_MS);
  }
}

async function give({ metadata }: V1Service, address: string): Promise<void> {
  const { name = "", namespace = "" } = metadata ?? {};
  const body = { status: { loadBalancer: { ingress: [{ ip: address }] } } };
  await api.patchNamespacedServiceStatus(
    { name, namespace, body },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
  say(`${namespace}/${name} has ${address}`);
}

function say(text: string): void {
  process.stdout.write(`${new Date().toISOString()} ${text}\n`);
}
