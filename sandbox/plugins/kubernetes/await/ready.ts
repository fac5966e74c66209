import { isNotFound } from "../api/error.ts";
import { refOf } from "../api/objects.ts";
import { annotation, describe, isAnnotationTrue, textAt } from "../object.ts";
import { AwaitError } from "./await-error.ts";
import { claimJudge } from "./claim.ts";
import { lastWarnings } from "./events.ts";
import { poll } from "./poll.ts";
import { serviceJudge, serviceNow } from "./service.ts";
import { parseWaitFor, WAIT_FOR } from "./wait-for.ts";
import { judgeOf } from "./workloads.ts";
import type { Log } from "../engine.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";
import type { Judge, Look } from "./poll.ts";

/** Annotation that turns waiting off. */
export const SKIP_AWAIT = "pulumi.com/skipAwait";
const TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds";
const DEFAULT_TIMEOUT_MS = 10 * 60 * 1000;
/** Limits of single kinds, which the resource's own timeout does not change (awaiters.go). */
const KIND_TIMEOUTS_MS: Readonly<Record<string, number>> = {
  "v1/PersistentVolumeClaim": 5 * 60 * 1000,
  "v1/PersistentVolume": 5 * 60 * 1000,
  "v1/ResourceQuota": 60 * 1000,
};

/** An object to wait for. */
export interface ReadyArgs {
  readonly urn: string;
  readonly inputs: JsonObject;
  readonly live: JsonObject;
  /** Seconds; 0 when the program says nothing. */
  readonly timeout: number;
}

/** Waits until an object is what its annotation or its kind asks for, and gives its last state. */
export async function awaitReady(session: Session, log: Log, args: ReadyArgs): Promise<JsonObject> {
  const judge = judgeFor(session, args.inputs, args.live);
  if (judge === undefined) return args.live;
  const { cancelled } = session;
  let live = args.live;
  let look: Look = { done: false, missing: [] };
  const lookOnce = async (): Promise<boolean | undefined> => {
    live = await session.objects.get(refOf(args.live));
    look = await judge(live);
    if (!look.done) log.status(args.urn, look.missing[0] ?? "");
    return look.done || look.failed === true ? true : undefined;
  };
  const ended = await poll(lookOnce, { limitMs: timeoutMs(args), cancelled }).catch(
    (error: unknown) => {
      if (cancelled.aborted)
        throw new AwaitError("the run was stopped while waiting", look.missing);
      if (isNotFound(error))
        throw new AwaitError(`${describe(live)} was deleted while waiting for it`, []);
      throw error;
    },
  );
  log.status(args.urn, "");
  if (look.done) return live;
  const reasons = [...look.missing, ...(await lastWarnings(session.objects, live))];
  const limit = timeoutMs(args) / 1000;
  throw new AwaitError(
    ended === undefined
      ? `${describe(live)} timed out waiting to be ready after ${limit} s`
      : `${describe(live)} failed`,
    reasons,
  );
}

/** One look at an object that an earlier run made: undefined when it is ready, else what is wrong with it. */
export async function checkReady(
  session: Session,
  _log: Log,
  args: Omit<ReadyArgs, "timeout">,
): Promise<AwaitError | undefined> {
  const { inputs, live } = args;
  // The official provider reads what the kind asks for only, not what the annotation does.
  if (isAnnotationTrue(inputs, SKIP_AWAIT)) return undefined;
  const kind = kindOf(live);
  const judge = kind === "v1/Service" ? serviceNow(session.objects) : judgeOf(kind);
  const look = await judge?.(live);
  if (look === undefined || look.done) return undefined;
  return new AwaitError(`${describe(live)} is not ready`, look.missing);
}

function judgeFor(session: Session, inputs: JsonObject, live: JsonObject): Judge | undefined {
  if (isAnnotationTrue(inputs, SKIP_AWAIT)) return undefined;
  const wanted = annotation(live, WAIT_FOR);
  if (wanted !== "") return parseWaitFor(wanted);
  const kind = kindOf(live);
  if (kind === "v1/Service") return serviceJudge(session.objects);
  if (kind === "v1/PersistentVolumeClaim") return claimJudge(session.objects);
  return judgeOf(kind);
}

function kindOf(live: JsonObject): string {
  return `${textAt(live, "apiVersion")}/${textAt(live, "kind")}`;
}

/** The resource option wins over the annotation. */
function timeoutMs(args: ReadyArgs): number {
  return (
    limitOf(args.inputs, args.timeout) ?? KIND_TIMEOUTS_MS[kindOf(args.live)] ?? DEFAULT_TIMEOUT_MS
  );
}

/** The time that the program gives, in milliseconds; undefined when it says nothing. */
export function limitOf(inputs: JsonObject, timeout: number): number | undefined {
  if (timeout > 0) return timeout * 1000;
  const seconds = Number.parseInt(annotation(inputs, TIMEOUT_SECONDS), 10);
  return Number.isNaN(seconds) ? undefined : seconds * 1000;
}
