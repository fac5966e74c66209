import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { stopCluster } from "../sandbox/cluster/index.ts";
import { bringUp } from "../sandbox/session/nodes.ts";
import { runPulumi } from "../sandbox/session/pulumi.ts";
import type { Session } from "../sandbox/session/session.ts";

/** Milliseconds in which a new cluster's controllers have to be at work. */
const LIMIT = 60_000;

/**
 * A new cluster under the session's name, and no memory of the stack: each first install really is one. Emptying the
 * old cluster would not do. CRDs that are deleted and come back within the controllers' half minute leave the garbage
 * collector waiting for watches that it tries again ever more rarely, and an uninstall takes minutes, either way's.
 */
export async function startAfresh(session: Session, stack: string): Promise<void> {
  const { name } = session;
  await runPulumi(session.context, ["stack", "rm", "--yes", "--force", "--stack", stack]);
  await stopCluster({ name });
  const { cluster } = await bringUp("simulated", { name, report: () => undefined });
  await controllersWork(cluster.kubeconfig);
}

/** The controller manager gives every namespace its service account; until then it still starts. */
async function controllersWork(kubeconfig: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const deadline = Date.now() + LIMIT;
  while ((await core.listNamespacedServiceAccount({ namespace: "default" })).items.length === 0) {
    if (Date.now() > deadline) throw new Error("the new cluster's controllers do not work");
    await sleep(200);
  }
}
