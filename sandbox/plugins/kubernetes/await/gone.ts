import { at, describe, isAnnotationTrue, listAt, textAt } from "../object.ts";
import { unmetConditions } from "./conditions.ts";
import { poll } from "./poll.ts";
import { limitOf, SKIP_AWAIT } from "./ready.ts";
import type { ObjectRef } from "../api/objects.ts";
import type { Log } from "../engine.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";

/** An object whose removal was asked for. */
export interface GoneArgs {
  readonly urn: string;
  readonly ref: ObjectRef;
  readonly inputs: JsonObject;
  readonly live: JsonObject;
  /** Seconds; 0 when the program says nothing. */
  readonly timeout: number;
}

/** Kinds of which the official provider does not wait for the end when waiting is off (metadata/overrides.go). */
const SKIPPING: ReadonlySet<string> = new Set([
  "v1/Namespace",
  "v1/Pod",
  "v1/ReplicationController",
  "apps/v1/DaemonSet",
  "apps/v1/Deployment",
  "apps/v1/StatefulSet",
  "batch/v1/Job",
]);
const DEFAULT_TIMEOUT_MS = 10 * 60 * 1000;

/** Waits until an object is gone, finalizers and all; another object under the same name is not the one waited for. */
export async function awaitGone(session: Session, log: Log, args: GoneArgs): Promise<void> {
  const kind = `${args.ref.apiVersion}/${args.ref.kind}`;
  if (isAnnotationTrue(args.inputs, SKIP_AWAIT) && SKIPPING.has(kind)) return;
  const uid = textAt(args.live, "metadata", "uid");
  let last = args.live;
  const look = async (): Promise<true | undefined> => {
    const found = await session.objects.find(args.ref);
    if (found === undefined || (uid !== "" && at(found, "metadata", "uid") !== uid)) return true;
    last = found;
    log.status(args.urn, `Waiting for ${describe(found)} to be deleted`);
    return undefined;
  };
  const limit = limitOf(args.inputs, args.timeout) ?? DEFAULT_TIMEOUT_MS;
  if ((await poll(look, { limitMs: limit, cancelled: session.cancelled })) === true) {
    log.status(args.urn, "");
    return;
  }
  const finalizers = listAt(last, "metadata", "finalizers").map(
    (name) => `finalizer ${JSON.stringify(name)}`,
  );
  const held = [...finalizers, ...unmetConditions(last)].map((reason) => `\n- ${reason}`);
  throw new Error(`${describe(last)} was not deleted within ${limit / 1000} s${held.join("")}`);
}
