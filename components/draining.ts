import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterApi } from "./cluster-api.ts";
import type { ClusterConnection } from "./cluster-connection.ts";

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
}

/** In milliseconds. */
export interface DrainPatience {
  /** Knative's activator and webhooks take half a minute to end. */
  readonly within: number;
  readonly poll: number;
}

const PATIENCE: DrainPatience = { within: 90_000, poll: 1_000 };

/**
 * A hook for the deletion of namespaces: pods that are ending end first. A namespace that is deleted while one of them is
 * there is looked at again only after half of that pod's grace period, however soon it ends
 * (kubernetes/kubernetes@v1.34.3:pkg/controller/namespace/namespace_controller.go, worker): with Knative's activator
 * after five minutes (knative/serving@knative-v1.20.2:config/core/deployments/activator.yaml).
 */
export function drainFirst(connection: Pick<ClusterConnection, "open">): pulumi.ResourceHook {
  // The provider's id of a namespace is its name.
  return new pulumi.ResourceHook("drain", async ({ id }) => {
    // It spares time and nothing else: whatever is wrong, the deletion itself says so.
    await connection
      .open()
      .then((api) => untilDrained(api, id))
      .catch(() => undefined);
  });
}

/** Resolves when no pod of the namespace is ending any more, or when waiting for them is no use. */
export async function untilDrained(
  api: Pick<ClusterApi, "get">,
  namespace: string,
  { within, poll }: DrainPatience = PATIENCE,
): Promise<void> {
  const until = Date.now() + within;
  while (Date.now() < until) {
    const { status, body } = await api.get(`/api/v1/namespaces/${namespace}/pods`);
    const { items = [] } = (status === 200 ? body : {}) as { readonly items?: readonly Pod[] };
    if (!items.some(({ metadata }) => metadata.deletionTimestamp !== undefined)) return;
    await sleep(poll);
  }
}
