/** What the API server's answer to a dry run says about the webhooks that judge the object. */
import type { Answer } from "../cluster-api.ts";
import { refusalOf } from "../cluster-connection.ts";

export interface Verdict {
  /**
   * `answered`: the webhooks have judged, one way or the other. `not-yet`: waiting may help. `not-asked`: the question does
   * not reach the webhooks, and will not by waiting.
   */
  readonly kind: "answered" | "not-yet" | "not-asked";
  /** What was heard instead of an answer. */
  readonly found: string;
  /** True where the API server would create the object. */
  readonly passed: boolean;
}

/** (kubernetes/kubernetes@v1.34.3:staging/src/k8s.io/apiserver/pkg/util/webhook/error.go; admission/plugin/webhook/errors/statuserror.go) */
const FAILED = /failed calling webhook|conversion webhook for .* failed/;
const DENIED = /admission webhook "([^"]+)" denied the request/;
/** The server behind the webhook is there and knows no such path: waiting brings none. */
const NO_SUCH_PATH = /failed calling webhook .*the server could not find the requested resource/s;
/** Comes a moment after its namespace (kubernetes/kubernetes@v1.34.3:plugin/pkg/admission/serviceaccount/admission.go). */
const NO_ACCOUNT = /serviceaccount "[^"]+" not found/;

/** Reads an answer. `webhooks` are the names of those that judge the object. */
export function readAnswer(answer: Answer, webhooks: readonly string[]): Verdict {
  const passed = answer.status < 300;
  const found = passed ? "" : refusalOf(answer);
  return { kind: kindOf(answer.status, found, webhooks), found, passed };
}

function kindOf(status: number, found: string, webhooks: readonly string[]): Verdict["kind"] {
  // Somebody's object of that name is in the way only after all webhooks have judged.
  if (status < 300 || status === 409) return "answered";
  if (NO_SUCH_PATH.test(found)) return "not-asked";
  if (FAILED.test(found)) return "not-yet";
  const [, denier] = DENIED.exec(found) ?? [];
  if (denier !== undefined) return webhooks.includes(denier) ? "answered" : "not-asked";
  // What a schema, a right, a quota or pod security refuses stays refused.
  const final = [400, 403, 422].includes(status) && !NO_ACCOUNT.test(found);
  return final ? "not-asked" : "not-yet";
}
