import { refOf } from "../api/objects.ts";
import { ApiError, messageOf, NoMatchError } from "../api/error.ts";
import { awaitReady } from "../await/ready.ts";
import { typeInfo, typeOfUrn } from "../kinds.ts";
import {
  at,
  idOf,
  isAnnotationTrue,
  isCrd,
  nameOf,
  setMetadata,
  textAt,
  toKubernetes,
} from "../object.ts";
import { containsUnknown } from "../value.ts";
import { normalizedInputs } from "./check.ts";
import { explainConflict } from "./conflict.ts";
import { PATCH_FORCE } from "./create.ts";
import { ignoreFields } from "./ignore.ts";
import { InitError } from "./init-error.ts";
import { hasCreateManager, hasNoManagers, relinquish, takeOverFields } from "./managers.ts";
import { fieldManagerOf, initialApiVersionOf, readCheckpoint, writeCheckpoint } from "./state.ts";
import type { Stored } from "./stored.ts";
import type { Log } from "../engine.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";

/** What the engine asks to change. */
export interface UpdateArgs {
  readonly urn: string;
  readonly state: JsonObject;
  readonly news: JsonObject;
  readonly ignored: readonly string[];
  readonly preview: boolean;
  /** Seconds; 0 when the program says nothing. */
  readonly timeout: number;
}

interface Change extends UpdateArgs {
  readonly inputs: JsonObject;
  readonly fieldManager: string;
  readonly patch: boolean;
}

/** Changes an object in place and waits until it is ready; in a preview asks the server what would come of it. */
export async function update(session: Session, log: Log, args: UpdateArgs): Promise<Stored> {
  const inputs = normalizedInputs(toKubernetes(args.news));
  const kind = textAt(inputs, "kind");
  const served = await session.objects.discovery.exists(textAt(inputs, "apiVersion"), kind);
  if (args.preview && (containsUnknown(inputs) || !served)) return { id: "", state: args.news };
  const { patch } = typeInfo(typeOfUrn(args.urn), kind);
  const old = readCheckpoint(args.state);
  const change = { ...args, inputs, patch, fieldManager: fieldManagerOf(args.state, inputs) };
  const store = (live: JsonObject): Stored => ({
    id: idOf(live),
    state: writeCheckpoint({
      inputs,
      live,
      marked: args.news,
      initialApiVersion: initialApiVersionOf(args.state, old.inputs),
      fieldManager: change.fieldManager,
    }),
  });
  try {
    const live = await changeObject(session, change, old.live);
    if (args.preview) return store(live);
    const ready = await awaitReady(session, log, { ...args, inputs, live });
    await dropOldManager(session, change, ready, fieldManagerOf(args.state, old.inputs));
    return store(ready);
  } catch (error) {
    return fail(session, change, { error, old: old.live, store });
  }
}

interface Failure {
  readonly error: unknown;
  readonly old: JsonObject;
  readonly store: (live: JsonObject) => Stored;
}

/** A failed update goes into the state with the live object, and the next run tries again. */
async function fail(
  session: Session,
  change: Change,
  { error, old, store }: Failure,
): Promise<Stored> {
  if (change.preview && error instanceof ApiError && error.status === 403)
    return { id: "", state: change.news };
  if (error instanceof NoMatchError) {
    throw new Error(
      `update of resource "${change.urn}" failed because the Kubernetes API server reported that the apiVersion for ` +
        `this resource does not exist. Verify that any required CRDs have been created: ${error.message}`,
    );
  }
  const live = await session.objects.find(refOf(old));
  if (live === undefined)
    throw new Error(`update of resource "${change.urn}" failed: ${messageOf(error)}`);
  throw new InitError(
    `the Kubernetes API server reported that "${idOf(live)}" failed to fully initialize or become live: ${messageOf(error)}`,
    store(live),
    error,
  );
}

async function changeObject(
  session: Session,
  change: Change,
  old: JsonObject,
): Promise<JsonObject> {
  const { inputs, fieldManager, preview: dryRun } = change;
  const live = await session.objects.get({ ...refOf(inputs), name: nameOf(old) });
  if (isCrd(inputs)) {
    const replacement = { ...inputs };
    setMetadata(replacement, "resourceVersion", at(live, "metadata", "resourceVersion") ?? "");
    const replaced = await session.objects.replace(replacement, { fieldManager, dryRun });
    session.objects.discovery.reset();
    return replaced;
  }
  return apply(session, change, live);
}

async function apply(session: Session, change: Change, live: JsonObject): Promise<JsonObject> {
  const { fieldManager, preview: dryRun, patch } = change;
  const takesOver = !patch && !dryRun;
  const current = takesOver ? await takeOverFields(session.objects, live, fieldManager) : live;
  const inputs = ignoreFields(change.inputs, current, change);
  const asked = isAnnotationTrue(inputs, PATCH_FORCE) || session.patchForce;
  const force = asked || hasNoManagers(current) || (dryRun && hasCreateManager(current));
  try {
    return await session.objects.apply(inputs, { fieldManager, dryRun, force });
  } catch (error) {
    throw explainConflict(error, fieldManager);
  }
}

async function dropOldManager(
  session: Session,
  change: Change,
  live: JsonObject,
  old: string,
): Promise<void> {
  if (old !== change.fieldManager) await relinquish(session.objects, live, old);
}
