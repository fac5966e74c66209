import { ApiError, isNotFound, NoMatchError } from "../api/error.ts";
import { refOf } from "../api/objects.ts";
import { awaitGone } from "../await/gone.ts";
import { typeInfo, typeOfUrn } from "../kinds.ts";
import { annotation, isCrd, nameOf, textAt } from "../object.ts";
import { relinquish } from "./managers.ts";
import { fieldManagerOf, readCheckpoint } from "./state.ts";
import type { Log } from "../engine.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";

/** What the engine asks to delete. */
export interface DeleteArgs {
  readonly urn: string;
  readonly id: string;
  readonly state: JsonObject;
  /** Seconds; 0 when the program says nothing. */
  readonly timeout: number;
}

const PROPAGATION = "pulumi.com/deletionPropagationPolicy";

/** Deletes an object and waits until it is gone; of a patch it gives up the fields only. */
export async function remove(session: Session, log: Log, args: DeleteArgs): Promise<void> {
  const { inputs, live } = readCheckpoint(args.state);
  const { patch } = typeInfo(typeOfUrn(args.urn), textAt(live, "kind"));
  try {
    if (patch) await giveUp(session, live, fieldManagerOf(args.state, inputs));
    else await removeObject(session, log, { ...args, inputs, live });
  } catch (error) {
    // Without its definition or its object there is nothing left to delete.
    if (!isNotFound(error) && !(error instanceof NoMatchError)) throw error;
  }
}

interface Removal extends DeleteArgs {
  readonly inputs: JsonObject;
  readonly live: JsonObject;
}

async function removeObject(session: Session, log: Log, removal: Removal): Promise<void> {
  const { inputs, live, id } = removal;
  const ref = { ...refOf(live), name: id.split("/").at(-1) ?? nameOf(live) };
  await session.objects.remove(ref, propagationOf(inputs));
  await awaitGone(session, log, { ...removal, ref });
  if (isCrd(live)) session.objects.discovery.reset();
}

async function giveUp(session: Session, live: JsonObject, fieldManager: string): Promise<void> {
  try {
    await relinquish(session.objects, live, fieldManager);
  } catch (error) {
    if (!(error instanceof ApiError) || !error.causes.includes("FieldValueRequired")) throw error;
    throw new Error(
      "this Patch resource is currently managing a required field, so it can't be deleted directly. Either set the " +
        "`retainOnDelete` resource option, or transfer ownership of the field before deleting: " +
        error.message,
      { cause: error },
    );
  }
}

function propagationOf(inputs: JsonObject): string {
  const wanted = annotation(inputs, PROPAGATION).toLowerCase();
  if (wanted === "orphan") return "Orphan";
  return wanted === "background" ? "Background" : "Foreground";
}
