import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Session } from "../sandbox/session/session.ts";

/** What a stack weighs: counts that are the same on every machine. */
export interface StackWeight {
  readonly resources: number;
  /**
   * Size of the state, which the engine writes whole at every step: as compact JSON, since releases of the CLI differ in
   * how they indent their file.
   */
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

/** Weighs a stack of a sandbox by its state file. */
export async function weigh(session: Session, stack: string): Promise<StackWeight> {
  const { backend } = session.layout;
  const file = join(backend, ".pulumi", "stacks", "kserve-platform", `${stack}.json`);
  const state = JSON.parse(await readFile(file, "utf8")) as State;
  const { resources } = state.checkpoint.latest;
  return {
    resources: resources.length,
    stateBytes: Buffer.byteLength(JSON.stringify(state)),
    waits: resources.filter(isWaitedFor).length,
  };
}

function isWaitedFor({ type, inputs }: StateResource): boolean {
  if (type === RELEASE) return true;
  const annotations = inputs?.metadata?.annotations ?? {};
  if (annotations["pulumi.com/waitFor"] !== undefined) return true;
  return WAITED_FOR.has(inputs?.kind ?? "") && annotations["pulumi.com/skipAwait"] !== "true";
}
