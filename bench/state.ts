import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Session } from "../sandbox/session/session.ts";

/** What a stack weighs: counts that are the same on every machine. */
export interface StackWeight {
  readonly resources: number;
  /** Size of the state file, which the engine writes whole at every step. */
  readonly stateBytes: number;
  /** Resources whose readiness an operation waits for; everything else is there when it is created. */
  readonly waits: number;
}

interface State {
  readonly checkpoint: { readonly latest: { readonly resources: readonly StateResource[] } };
}
interface StateResource {
  readonly type: string;
  readonly inputs?: {
    readonly kind?: string;
    readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  };
}

/** Kinds that the provider waits for unless told otherwise (pulumi/pulumi-kubernetes@v4.32.0:provider/pkg/await/awaiters.go). */
const WAITED_FOR = new Set([
  "Deployment",
  "DaemonSet",
  "StatefulSet",
  "Job",
  "Pod",
  "Service",
  "Ingress",
]);
const RELEASE = "kubernetes:helm.sh/v3:Release";
/** Entry that a part of ours is waited for with (components/readiness/). */
const READINESS = "pulumi:index:Stash";

/** Weighs a stack of a sandbox by its state file. */
export async function weigh(session: Session, stack: string): Promise<StackWeight> {
  const { backend } = session.layout;
  const file = join(backend, ".pulumi", "stacks", "kserve-platform", `${stack}.json`);
  const text = await readFile(file);
  const { resources } = (JSON.parse(text.toString()) as State).checkpoint.latest;
  return {
    resources: resources.length,
    stateBytes: text.length,
    waits: resources.filter(isWaitedFor).length,
  };
}

function isWaitedFor({ type, inputs }: StateResource): boolean {
  if (type === RELEASE || type === READINESS) return true;
  const annotations = inputs?.metadata?.annotations ?? {};
  if (annotations["pulumi.com/waitFor"] !== undefined) return true;
  return WAITED_FOR.has(inputs?.kind ?? "") && annotations["pulumi.com/skipAwait"] !== "true";
}
