import { setTimeout as sleep } from "node:timers/promises";
import {
  AdmissionregistrationV1Api,
  ApiextensionsV1Api,
  CoreV1Api,
  KubeConfig,
} from "@kubernetes/client-node";

/** Namespaces that every cluster has. */
const OWN = /^(?:default|kube-.*)$/;
/** Milliseconds until a cluster that does not get empty counts as broken. */
const LIMIT = 180_000;

/** Takes everything off a sandbox's cluster that an installation may have left: each first install is really one. */
export async function emptyCluster(kubeconfig: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const extensions = config.makeApiClient(ApiextensionsV1Api);
  const namespaces = async (): Promise<string[]> =>
    (await core.listNamespace()).items
      .map((item) => item.metadata?.name ?? "")
      .filter((name) => !OWN.test(name));
  const crds = async (): Promise<string[]> =>
    (await extensions.listCustomResourceDefinition()).items.map(
      (item) => item.metadata?.name ?? "",
    );
  // Gateway API's guard against older bundles: it stays after both ways.
  const admission = config.makeApiClient(AdmissionregistrationV1Api);
  await admission.deleteCollectionValidatingAdmissionPolicyBinding();
  await admission.deleteCollectionValidatingAdmissionPolicy();
  for (const name of await namespaces()) await core.deleteNamespace({ name });
  for (const name of await crds()) await extensions.deleteCustomResourceDefinition({ name });
  const deadline = Date.now() + LIMIT;
  while ((await namespaces()).length + (await crds()).length > 0) {
    if (Date.now() > deadline) throw new Error("the cluster does not get empty");
    await sleep(500);
  }
}
