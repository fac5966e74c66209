import type { Problem } from "../../problems/problem.ts";
import type { Symptom } from "../../versions/probes.ts";
import type { Cluster, WorkloadRef } from "./part.ts";
import { workloadName } from "./part.ts";
import { podsOf } from "./pods.ts";
import { seeWorkload } from "./workloads.ts";

/** Bytes from the start of a log: what a process says at its start is all that is looked for. */
const START_OF_LOG = 200_000;

/** Looks in the logs of running workloads for a line that says why they will never do what is waited for. */
export async function findSymptom(
  api: Cluster,
  workloads: readonly WorkloadRef[],
  symptoms: readonly Symptom[],
): Promise<Problem | undefined> {
  for (const ref of workloads) {
    const pods = await podsOf(api, await seeWorkload(api, ref));
    for (const { metadata } of pods) {
      const path = `/api/v1/namespaces/${ref.namespace}/pods/${metadata.name}/log?limitBytes=${String(START_OF_LOG)}`;
      const log = await api.getText(path).catch(() => undefined);
      const text = log?.status === 200 && typeof log.body === "string" ? log.body : "";
      const symptom = symptoms.find((known) => text.includes(known.log));
      if (symptom !== undefined) return problemOf(ref, metadata.name, symptom);
    }
  }
  return undefined;
}

function problemOf(ref: WorkloadRef, pod: string, symptom: Symptom): Problem {
  const fix = symptom.fix
    .replaceAll("{workload}", workloadName(ref))
    .replaceAll("{namespace}", ref.namespace);
  return {
    code: "readiness-process-gave-up",
    level: "block",
    where: `pod ${ref.namespace}/${pod}`,
    found: `its log says "${symptom.log}": ${symptom.means}`,
    allowed: "a process that found all it needs when it started",
    source: symptom.source,
    fix: `${fix}; then pulumi up again`,
  };
}
