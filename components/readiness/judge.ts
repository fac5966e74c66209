import type { Problem } from "../../problems/problem.ts";
import type { Attempts } from "./attempts.ts";
import type { Lasting } from "./lasting.ts";
import type { Cluster } from "./part.ts";
import { workloadName } from "./part.ts";
import { containersOf, eventsOf, isThere } from "./pods.ts";
import type { ContainerStatus, KubeEvent, Pod } from "./pods.ts";
import { readPullFailure } from "./pull-failure.ts";
import type { SeenWorkload } from "./workloads.ts";

/** Milliseconds that a state has to last before it counts as one that nobody will mend: shorter ones pass by themselves. */
export const ENDS_AFTER = {
  /** kubelet has tried three times by then (kubernetes/kubernetes@v1.34.3:pkg/kubelet/kubelet.go, imageBackOffPeriod). */
  imageNotPulled: 45_000,
  containerConfig: 45_000,
  podsRefused: 45_000,
  volumeMissing: 60_000,
  unschedulable: 60_000,
} as const;
/** Restarts after which a container counts as one that will not stay up: about 70 s of kubelet's backing off. */
export const RESTARTS = 3;
/** Lines of a crashed container's log that a report shows. */
const LOG_LINES = 5;
const LOG_CHARACTERS = 600;

/** Between two attempts. */
const PAUSED = "ImagePullBackOff";
const NOT_PULLED = [PAUSED, "ErrImagePull", "RegistryUnavailable", "ErrImageNeverPull"];
const NOT_CONFIGURED = ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"];
/** Somebody is bringing a node (kubernetes/autoscaler: TriggeredScaleUp; kubernetes-sigs/karpenter: Nominated). */
const NODE_COMES = ["TriggeredScaleUp", "Nominated"];
const MISSING_VOLUME = /(secret|configmap) "([^"]+)" not found/;
/** Stands for an image that Istio's injector fills in (istio/istio@1.28.10:manifests/charts/gateway/templates/deployment.yaml). */
const INJECTED_IMAGE = /^(?:docker\.io\/library\/)?auto(?::latest)?$/;

/** What is looked at, and how long things have been so. */
export interface Looking {
  readonly api: Cluster;
  readonly lasting: Lasting;
  readonly attempts: Attempts;
}

/** A container of a pod. */
interface Place {
  readonly pod: Pod;
  readonly container: ContainerStatus;
}

type Verdict = Problem | undefined;

/** Why a workload's rollout will not finish; `undefined` while it may. */
export async function judgeWorkload(
  looking: Looking,
  seen: SeenWorkload,
  pods: readonly Pod[],
): Promise<Verdict> {
  const refused = await judgeRefusal(looking, seen, pods);
  if (refused !== undefined) return refused;
  for (const pod of pods) {
    const verdict = await judgePod(looking, pod);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** Pods that the API server does not let in: a quota, pod security, somebody's webhook. */
async function judgeRefusal(
  { api, lasting }: Looking,
  { ref, found }: SeenWorkload,
  pods: readonly Pod[],
): Promise<Verdict> {
  const condition = found?.status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  // Only a Deployment keeps a condition; the controllers of the others tell it in events.
  const message =
    ref.kind === "Deployment"
      ? condition?.message
      : pods.length > 0
        ? undefined
        : latest(await eventsOf(api, ref.namespace, found?.metadata.uid), "FailedCreate");
  if (message === undefined) return undefined;
  const lasts = lasting.of(`refused ${ref.namespace}/${workloadName(ref)}`);
  if (lasts < ENDS_AFTER.podsRefused) return undefined;
  return {
    code: "readiness-pods-refused",
    level: "block",
    where: `${workloadName(ref)} in namespace ${ref.namespace}`,
    found: message,
    allowed: "pods of this workload in its namespace",
    fix: `raise the quota, relax the namespace's pod security or mend the webhook that the message names; \`kubectl describe ${workloadName(ref)} --namespace ${ref.namespace}\`; then pulumi up again`,
  };
}

async function judgePod(looking: Looking, pod: Pod): Promise<Verdict> {
  const scheduling = await judgeScheduling(looking, pod);
  if (scheduling !== undefined) return scheduling;
  for (const container of containersOf(pod)) {
    const verdict = await judgeContainer(looking, { pod, container });
    if (verdict !== undefined) return verdict;
  }
  return isWaitingForVolumes(pod) ? judgeVolumes(looking, pod) : undefined;
}

async function judgeScheduling({ api, lasting }: Looking, pod: Pod): Promise<Verdict> {
  const condition = pod.status?.conditions?.find(
    ({ type, status, reason }) =>
      type === "PodScheduled" && status === "False" && reason === "Unschedulable",
  );
  if (condition === undefined) return undefined;
  const { name, namespace, uid } = pod.metadata;
  if (lasting.of(`unschedulable ${idOf(pod)}`) < ENDS_AFTER.unschedulable) return undefined;
  const events = await eventsOf(api, namespace, uid);
  if (events.some(({ reason = "" }) => NODE_COMES.includes(reason))) return undefined;
  return {
    code: "readiness-pod-unschedulable",
    level: "block",
    where: `pod ${namespace}/${name}`,
    found: `no node takes it: ${condition.message ?? ""}`,
    allowed: "a node with room for the pod's requests, and none of its taints in the way",
    fix: `add nodes, or lower the requests under kserve:*.resources; \`kubectl describe pod ${name} --namespace ${namespace}\`; then pulumi up again`,
  };
}

async function judgeContainer(looking: Looking, place: Place): Promise<Verdict> {
  const { reason = "" } = place.container.state?.waiting ?? {};
  if (reason === "InvalidImageName") return judgeImage(looking, place, 0);
  if (NOT_PULLED.includes(reason)) return judgeImage(looking, place, ENDS_AFTER.imageNotPulled);
  if (NOT_CONFIGURED.includes(reason)) return judgeConfiguration(looking, place);
  if (reason === "CrashLoopBackOff") return judgeCrash(looking, place);
  return undefined;
}

async function judgeImage(
  { api, lasting, attempts }: Looking,
  place: Place,
  atLeast: number,
): Promise<Verdict> {
  const { pod, container } = place;
  const { image = "", state: { waiting } = {} } = container;
  // One key for all of these: kubelet goes back and forth between trying and waiting.
  const key = `image ${idOf(pod)} ${container.name}`;
  const pauses = waiting?.reason === PAUSED;
  const tried = attempts.hasPulled(key, nameOf(pod), !pauses);
  if (lasting.of(key) < atLeast || (pauses && !tried)) return undefined;
  if (INJECTED_IMAGE.test(image)) return notInjected(place);
  const said = await pullMessage(api, place, waiting?.message ?? "");
  const { what, fix } = readPullFailure(said, image);
  const command = `kubectl describe pod ${pod.metadata.name} --namespace ${pod.metadata.namespace}`;
  return {
    code: "readiness-image-not-pulled",
    level: "block",
    where: whereOf(place),
    found: `${what}: ${said}`,
    allowed: "an image that every node can pull",
    fix: `${fix}; \`${command}\`; then pulumi up again`,
  };
}

/** The runtime's words. While kubelet waits, older releases say only that it does; the event still has them. */
async function pullMessage(api: Cluster, { pod }: Place, message: string): Promise<string> {
  if (message !== "" && !/^Back-off pulling image "[^"]*"$/.test(message)) return message;
  const { namespace, uid } = pod.metadata;
  const events = await eventsOf(api, namespace, uid).catch(() => []);
  const failed = events.filter(({ message: text = "" }) => text.startsWith("Failed to pull image"));
  return failed.at(-1)?.message ?? message;
}

function notInjected(place: Place): Problem {
  const { name, namespace } = place.pod.metadata;
  return {
    code: "readiness-image-not-injected",
    level: "block",
    where: whereOf(place),
    found:
      "the image `auto`, in whose place Istio's injector puts the proxy's: it has not judged this pod",
    allowed:
      "a pod made while the injector answers, in a namespace without istio-injection=disabled",
    fix: `kubectl delete pod ${name} --namespace ${namespace}; then pulumi up again`,
  };
}

function judgeConfiguration({ lasting }: Looking, place: Place): Verdict {
  const { pod, container } = place;
  if (lasting.of(`config ${idOf(pod)} ${container.name}`) < ENDS_AFTER.containerConfig)
    return undefined;
  const { reason = "", message = "" } = container.state?.waiting ?? {};
  return {
    code: "readiness-container-config",
    level: "block",
    where: whereOf(place),
    found: `${reason}: ${message}`,
    allowed: "every Secret, ConfigMap and key that the container names",
    fix: `bring what the message names; \`kubectl describe pod ${pod.metadata.name} --namespace ${pod.metadata.namespace}\`; then pulumi up again`,
  };
}

async function judgeCrash({ api, attempts }: Looking, place: Place): Promise<Verdict> {
  const { pod, container } = place;
  const { restartCount = 0 } = container;
  const ended = attempts.hasEnded(
    `crash ${idOf(pod)} ${container.name}`,
    nameOf(pod),
    restartCount,
  );
  return ended && restartCount >= RESTARTS ? crash(api, place) : undefined;
}

async function crash(api: Cluster, place: Place): Promise<Problem> {
  const { pod, container } = place;
  const { name, namespace } = pod.metadata;
  const { exitCode, reason, message } = container.lastState?.terminated ?? {};
  const code = exitCode === undefined ? "" : ` with exit code ${String(exitCode)}`;
  const why = [reason, message].filter((text) => text !== undefined && text !== "").join(": ");
  const log = await lastLines(api, place);
  return {
    code: "readiness-container-crashes",
    level: "block",
    where: whereOf(place),
    found: [
      `ended${code} and was started again ${String(container.restartCount ?? 0)} times`,
      ...(why === "" ? [] : [why]),
      ...(log === "" ? [] : [`its last lines: ${log}`]),
    ].join("; "),
    allowed: "a container that stays up",
    fix: `kubectl logs ${name} --container ${container.name} --previous --namespace ${namespace}; then pulumi up again`,
  };
}

async function lastLines(api: Cluster, { pod, container }: Place): Promise<string> {
  const { name, namespace } = pod.metadata;
  const query = `container=${container.name}&previous=true&tailLines=${String(LOG_LINES)}`;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?${query}`;
  const answer = await api.getText(path).catch(() => undefined);
  if (answer?.status !== 200 || typeof answer.body !== "string") return "";
  return answer.body.trim().split("\n").join(" | ").slice(-LOG_CHARACTERS);
}

/** Bound to a node, and no container has begun. */
function isWaitingForVolumes(pod: Pod): boolean {
  const containers = containersOf(pod);
  return (
    containers.length > 0 &&
    containers.every(({ state }) =>
      ["ContainerCreating", "PodInitializing"].includes(state?.waiting?.reason ?? ""),
    )
  );
}

/**
 * Secrets and ConfigMaps that a pod mounts and that do not exist. An event alone says little: it stays for an hour after
 * the object has come, and a long pull looks the same from outside. So the object itself is asked for.
 */
async function judgeVolumes({ api, lasting }: Looking, pod: Pod): Promise<Verdict> {
  const { name, namespace, uid } = pod.metadata;
  const message = latest(await eventsOf(api, namespace, uid), "FailedMount");
  const [, kind = "", missing = ""] = MISSING_VOLUME.exec(message ?? "") ?? [];
  if (missing === "") return undefined;
  if ((await isThere(api, `/api/v1/namespaces/${namespace}/${kind}s/${missing}`)) !== false)
    return undefined;
  if (lasting.of(`volume ${idOf(pod)} ${kind}/${missing}`) < ENDS_AFTER.volumeMissing)
    return undefined;
  return {
    code: "readiness-volume-missing",
    level: "block",
    where: `pod ${namespace}/${name}`,
    found: `it mounts the ${kind} ${missing}, which does not exist`,
    allowed: "everything that the pod mounts",
    fix: `bring it; where a Certificate names it as its secretName, see \`kubectl get certificates,certificaterequests --namespace ${namespace}\`; then pulumi up again`,
  };
}

function latest(events: readonly KubeEvent[], reason: string): string | undefined {
  return events.filter((event) => event.reason === reason).at(-1)?.message;
}

function idOf({ metadata }: Pod): string {
  return metadata.uid ?? nameOf({ metadata });
}

function nameOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function whereOf({ pod, container }: Place): string {
  return `pod ${nameOf(pod)}, container ${container.name}, image ${container.image ?? "unknown"}`;
}
