import { formatProblem } from "../../problems/problem.ts";
import type { Answer } from "../cluster-api.ts";
import { refusalOf } from "../cluster-connection.ts";
import type { Cluster } from "./part.ts";

/** Why a wait ends; its message is the report for the user. */
export class ReadinessError extends Error {}

/** The object at a path, or `undefined` while there is none. */
export async function readObject<T>(api: Cluster, path: string): Promise<T | undefined> {
  const answer = await api.get(path);
  if (answer.status === 404) return undefined;
  if (isForbidden(answer)) throw notSeen(path, answer);
  if (answer.status >= 300) throw new Error(refusalOf(answer));
  return answer.body as T;
}

/** The objects of a list; none where their kind is not served yet. */
export async function readList<T>(api: Cluster, path: string): Promise<readonly T[]> {
  const list = await readObject<{ readonly items?: readonly T[] }>(api, path);
  return list?.items ?? [];
}

function isForbidden({ status }: Answer): boolean {
  return status === 401 || status === 403;
}

/** What may not be looked at cannot be waited for; everything else that goes wrong may pass. */
function notSeen(path: string, answer: Answer): ReadinessError {
  return new ReadinessError(
    formatProblem({
      code: "readiness-not-seen",
      level: "block",
      where: path,
      found: refusalOf(answer),
      allowed: "reading by the identity of the kubeconfig",
      fix: "`kubectl auth can-i list deployments,pods` in that namespace for missing rights; then pulumi up again",
    }),
  );
}
