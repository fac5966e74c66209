/** What the API server's answer to a dry run says about the webhooks that judge the object. */
import type { Answer } from "../cluster-api.ts";
import { refusalOf } from "../cluster-connection.ts";

export type Verdict =
  /** The webhooks have judged, one way or the other. */
  | { readonly kind: "answered" }
  /** Not yet; says what was heard instead. */
  | { readonly kind: "not-yet"; readonly found: string }
  /** The question does not reach the webhooks, and will not by waiting. */
  | { readonly kind: "not-asked"; readonly found: string };

/** (kubernetes/kubernetes@v1.34.3:staging/src/k8s.io/apiserver/pkg/util/webhook/error.go; admission/plugin/webhook/errors/statuserror.go) */
const FAILED = /failed calling webhook|conversion webhook for .* failed/;
const DENIED = /admission webhook "([^"]+)" denied the request/;
/** The server behind the webhook is there and knows no such path: waiting brings none. */
const NO_SUCH_PATH = /failed calling webhook .*the server could not find the requested resource/s;
/** Comes a moment after its namespace (kubernetes/kubernetes@v1.34.3:plugin/pkg/admission/serviceaccount/admission.go). */
const NO_ACCOUNT = /serviceaccount "[^"]+" not found/;

/** Reads an answer. `webhooks` are the names of those that judge the object. */
export function readAnswer(answer: Answer, webhooks: readonly string[]): Verdict {
  const { status } = answer;
  // Somebody's object of that name is in the way only after all webhooks have judged.
  if (status < 300 || status === 409) return { kind: "answered" };
  const found = refusalOf(answer);
  if (NO_SUCH_PATH.test(found)) return { kind: "not-asked", found };
  if (FAILED.test(found)) return { kind: "not-yet", found };
  const [, denier] = DENIED.exec(found) ?? [];
  if (denier !== undefined)
    return webhooks.includes(denier) ? { kind: "answered" } : { kind: "not-asked", found };
  // What a schema, a right, a quota or pod security refuses stays refused.
  const final = [400, 403, 422].includes(status) && !NO_ACCOUNT.test(found);
  return final ? { kind: "not-asked", found } : { kind: "not-yet", found };
}
