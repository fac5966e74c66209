import { textAt } from "../object.ts";
import type { Objects } from "../api/objects.ts";
import type { Judge } from "./poll.ts";

/**
 * A claim is ready when it is bound, or pending where its storage class binds it to the first pod that uses it
 * (awaiters.go, untilCoreV1PersistentVolumeClaimReady).
 */
export function claimJudge(objects: Objects): Judge {
  return async (live) => {
    const phase = textAt(live, "status", "phase");
    if (phase === "Bound") return { done: true, missing: [] };
    const name = textAt(live, "spec", "storageClassName");
    const ref = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", namespace: "", name };
    const storageClass = name === "" ? undefined : await objects.find(ref);
    const late = textAt(storageClass, "volumeBindingMode") === "WaitForFirstConsumer";
    return {
      done: late && phase === "Pending",
      missing: [`the claim is ${phase || "new"}, not Bound`],
    };
  };
}
