import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { PlannedChart } from "../plan/plan.ts";
import { formatProblem } from "../problems/problem.ts";
import type { Answer, ClusterApi } from "./cluster-api.ts";
import { refusalOf } from "./cluster-connection.ts";
import type { ClusterConnection } from "./cluster-connection.ts";
import type { HelmRelease } from "./killed-release.ts";

/** Milliseconds for a rollout: Helm's own limit for a release. (helm/helm@v3.19.0:pkg/cmd/install.go) */
const WITHIN = 300_000;
const POLL = 250;
/** Milliseconds between two lines that say what is still missing. */
const TELL_EVERY = 10_000;

/** What is asked of a Deployment. */
interface Deployment {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly state?: {
        readonly waiting?: { readonly reason?: string; readonly message?: string };
      };
    }[];
  };
}

/**
 * Waits for the Deployments of a Helm release, as `kubectl rollout status` does, whenever the release's chart or values
 * have changed. Helm itself looks every two seconds, and starts its hooks only after that. The wait is a hook of an entry in the
 * stack's state (a Stash): a run in which it fails leaves no entry, and the next one waits again.
 */
export function awaitRollout(
  parent: pulumi.ComponentResource,
  connection: ClusterConnection,
  installed: { readonly release: HelmRelease; readonly chart: PlannedChart },
  dependsOn: pulumi.Resource,
): pulumi.Resource {
  const { release, chart } = installed;
  const hook = new pulumi.ResourceHook(`await-rollout-${release.name}`, async () =>
    untilRolledOut(await connection.open(), release),
  );
  const values = createHash("sha256").update(JSON.stringify(chart.values)).digest("hex");
  return new pulumi.Stash(
    `${release.name}-rollout`,
    { input: { chart: `${chart.name} ${chart.version}`, values } },
    { parent, dependsOn, hooks: { beforeCreate: [hook], beforeUpdate: [hook] } },
  );
}

/** Resolves when every Deployment of the release runs what it is told to; throws a report of those that do not. */
export async function untilRolledOut(
  api: Pick<ClusterApi, "get">,
  release: HelmRelease,
  within = WITHIN,
): Promise<void> {
  const start = Date.now();
  let told = start;
  for (;;) {
    const deployments = await list<Deployment>(api, release, "/apis/apps/v1", "deployments");
    const missing = deployments.filter((deployment) => !isRolledOut(deployment));
    if (deployments.length > 0 && missing.length === 0) return;
    const state = missing.map(stateOf).join(", ") || "no Deployment yet";
    if (Date.now() - start > within) throw new Error(await notRolledOut(api, release, state));
    if (Date.now() - told > TELL_EVERY) {
      told = Date.now();
      void pulumi.log.info(`${release.name}: waiting for ${state}`, undefined, undefined, true);
    }
    await sleep(POLL);
  }
}

/** (kubernetes/kubernetes@v1.34.3:staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go) */
function isRolledOut({ metadata, spec, status = {} }: Deployment): boolean {
  const {
    observedGeneration = 0,
    replicas = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
  } = status;
  return (
    observedGeneration >= metadata.generation &&
    updatedReplicas >= (spec.replicas ?? 1) &&
    replicas <= updatedReplicas &&
    availableReplicas >= updatedReplicas
  );
}

function stateOf({ metadata, spec, status }: Deployment): string {
  const available = String(status?.availableReplicas ?? 0);
  const updated = String(status?.updatedReplicas ?? 0);
  return `${metadata.name} (${updated} of ${String(spec.replicas ?? 1)} updated, ${available} available)`;
}

async function list<T>(
  api: Pick<ClusterApi, "get">,
  { name, namespace }: HelmRelease,
  group: string,
  plural: string,
): Promise<readonly T[]> {
  const labels = encodeURIComponent(`app.kubernetes.io/instance=${name}`);
  const path = `${group}/namespaces/${namespace}/${plural}?labelSelector=${labels}`;
  const answer = await api.get(path);
  if (answer.status >= 300) throw new Error(refused(path, answer));
  return (answer.body as { readonly items?: readonly T[] }).items ?? [];
}

async function notRolledOut(
  api: Pick<ClusterApi, "get">,
  release: HelmRelease,
  state: string,
): Promise<string> {
  const pods = await list<Pod>(api, release, "/api/v1", "pods");
  const waiting = pods.flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? []).flatMap(({ state: { waiting: why } = {} }) =>
      why?.reason === undefined ? [] : [`${metadata.name}: ${why.reason} ${why.message ?? ""}`],
    ),
  );
  return formatProblem({
    code: "release-not-rolled-out",
    level: "block",
    where: `Helm release ${release.namespace}/${release.name}`,
    found: [`after ${String(WITHIN / 1000)} s: ${state}`, ...waiting].join("; "),
    allowed: "every Deployment of the release updated and available",
    fix: `look at its pods: kubectl describe pods --namespace ${release.namespace}; then pulumi up again`,
  });
}

function refused(path: string, answer: Answer): string {
  return formatProblem({
    code: "rollout-not-seen",
    level: "block",
    where: path,
    found: refusalOf(answer),
    allowed: "reading by the identity of the kubeconfig",
    fix: "`kubectl auth can-i list deployments,pods` in that namespace for missing rights; then pulumi up again",
  });
}
