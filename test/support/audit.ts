/** What the API server refused to controllers, out of its audit log. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { realLayout } from "../../sandbox/real/layout.ts";

/** (kubernetes/kubernetes@v1.34.3:staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go) */
interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly name?: string };
  readonly responseStatus?: {
    readonly code?: number;
    readonly details?: { readonly kind?: string };
  };
}

/** Requests of the installation's own controllers that were refused. */
export interface Refusals {
  /** How many requests their service accounts made at all. */
  readonly requests: number;
  /** Answered 403: a right is missing. `account verb path`. */
  readonly forbidden: readonly string[];
  /** Answered 404 because nobody serves such a kind; an object that is not there is no such answer. `account path`. */
  readonly notServed: readonly string[];
}

const ACCOUNT = /^system:serviceaccount:(?!kube-system:)/;

/** Reads the log of a sandbox with a real node. */
export async function readRefusals(name: string): Promise<Refusals> {
  const text = await readFile(join(realLayout(name).logs, "audit.log"), "utf8");
  // The API server may be writing the last line.
  const whole = text.slice(0, text.lastIndexOf("\n")).split("\n");
  const events = whole
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ user }) => ACCOUNT.test(user.username));
  const answered = (code: number) =>
    events.filter(({ responseStatus }) => responseStatus?.code === code);
  return {
    requests: events.length,
    forbidden: unique(
      answered(403).map((event) => `${accountOf(event)} ${event.verb} ${pathOf(event)}`),
    ),
    notServed: unique(
      answered(404)
        .filter(isNotServed)
        .map((event) => `${accountOf(event)} ${pathOf(event)}`),
    ),
  };
}

/** An object that is not there is named with its kind in the answer; a kind that is not there is not. */
function isNotServed({ responseStatus }: AuditEvent): boolean {
  return responseStatus?.details?.kind === undefined;
}

function accountOf({ user }: AuditEvent): string {
  return user.username.replace(ACCOUNT, "");
}

function pathOf({ requestURI }: AuditEvent): string {
  return requestURI.replace(/\?.*/, "");
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)].sort();
}
