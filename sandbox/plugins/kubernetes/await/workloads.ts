import { at, numberAt, textAt } from "../object.ts";
import { condition, conditionStatus, isStale, unmetConditions } from "./conditions.ts";
import type { JsonObject } from "../value.ts";
import type { Judge, Look } from "./poll.ts";

const READY: Look = { done: true, missing: [] };

/** Built-in kinds that are judged by their own status (provider/pkg/await/awaiters.go). */
export const STATUS_JUDGES: Readonly<Record<string, (live: JsonObject) => Look>> = {
  "apps/v1/Deployment": deployment,
  "apps/v1/StatefulSet": statefulSet,
  "apps/v1/DaemonSet": daemonSet,
  "batch/v1/Job": job,
  "v1/Pod": pod,
  "v1/PersistentVolume": (live) => phase(live, ["Available", "Bound"]),
  "v1/ReplicationController": (live) => replicas(live, ["availableReplicas"]),
  "v1/ResourceQuota": resourceQuota,
  "networking.k8s.io/v1/Ingress": ingress,
};

/** What to wait for with an object of the kind; undefined when its being there is enough. */
export function judgeOf(kind: string): Judge | undefined {
  return STATUS_JUDGES[kind];
}

function status(live: JsonObject, field: string): number {
  return numberAt(live, "status", field) ?? 0;
}

function pending(live: JsonObject, ...missing: string[]): Look {
  return { done: false, missing: [...missing, ...unmetConditions(live)] };
}

function failed(live: JsonObject, reason: string): Look {
  return { done: false, failed: true, missing: [reason, ...unmetConditions(live)] };
}

function replicas(live: JsonObject, fields: readonly string[]): Look {
  const wanted = numberAt(live, "spec", "replicas") ?? 1;
  const short = fields.filter((field) => status(live, field) < wanted);
  if (short.length === 0 && !isStale(live)) return READY;
  return pending(live, ...short.map((field) => `${field}: ${status(live, field)} of ${wanted}`));
}

function deployment(live: JsonObject): Look {
  if (at(live, "spec", "paused") === true) return READY;
  if (at(live, "status", "observedGeneration") === undefined)
    return pending(live, "not seen by its controller");
  const progressing = condition(live, "Progressing");
  if (progressing !== undefined && textAt(progressing, "reason") === "ProgressDeadlineExceeded") {
    return failed(
      live,
      `the rollout exceeded its progress deadline: ${textAt(progressing, "message")}`,
    );
  }
  const rolled =
    progressing === undefined || textAt(progressing, "reason") === "NewReplicaSetAvailable";
  const counted = replicas(live, ["updatedReplicas", "readyReplicas", "availableReplicas"]);
  if (!counted.done) return counted;
  return rolled ? READY : pending(live, `rollout in progress: ${textAt(progressing, "message")}`);
}

function statefulSet(live: JsonObject): Look {
  if (at(live, "status", "observedGeneration") === undefined)
    return pending(live, "not seen by its controller");
  const counted = replicas(live, ["readyReplicas"]);
  const current = textAt(live, "status", "currentRevision");
  const rolled = current === textAt(live, "status", "updateRevision");
  return counted.done && !rolled ? pending(live, `still at revision ${current}`) : counted;
}

function daemonSet(live: JsonObject): Look {
  if (at(live, "status", "observedGeneration") === undefined)
    return pending(live, "not seen by its controller");
  const wanted = status(live, "desiredNumberScheduled");
  const short = ["updatedNumberScheduled", "numberReady", "numberAvailable"].filter(
    (field) => status(live, field) < wanted,
  );
  if (short.length === 0 && !isStale(live)) return READY;
  return pending(live, ...short.map((field) => `${field}: ${status(live, field)} of ${wanted}`));
}

function job(live: JsonObject): Look {
  if (conditionStatus(live, "Complete") === "True") return READY;
  const failure = condition(live, "Failed");
  if (textAt(failure, "status") !== "True") return pending(live, "the job is not complete");
  return failed(
    live,
    `the job failed: ${textAt(failure, "reason")}: ${textAt(failure, "message")}`,
  );
}

function pod(live: JsonObject): Look {
  if (textAt(live, "status", "phase") === "Succeeded") return READY;
  if (textAt(live, "status", "phase") === "Failed")
    return failed(live, `the pod failed: ${textAt(live, "status", "message")}`);
  return conditionStatus(live, "Ready") === "True" ? READY : pending(live, "the pod is not ready");
}

function phase(live: JsonObject, wanted: readonly string[]): Look {
  const found = textAt(live, "status", "phase");
  return wanted.includes(found)
    ? READY
    : pending(live, `phase is ${found || "not set"}, not ${wanted.join(" or ")}`);
}

function resourceQuota(live: JsonObject): Look {
  const same =
    JSON.stringify(at(live, "spec", "hard")) === JSON.stringify(at(live, "status", "hard"));
  return same ? READY : pending(live, "status.hard is not spec.hard yet");
}

function ingress(live: JsonObject): Look {
  const addresses = at(live, "status", "loadBalancer", "ingress");
  if (Array.isArray(addresses) && addresses.length > 0) return READY;
  return pending(
    live,
    "Ingress .status.loadBalancer field was not updated with a hostname/IP address",
  );
}
