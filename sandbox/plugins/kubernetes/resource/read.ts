import { isNotFound, messageOf, NoMatchError } from "../api/error.ts";
import { checkReady } from "../await/ready.ts";
import { typeInfo, typeOfUrn } from "../kinds.ts";
import { idOf, namespaceOf, setMetadata, textAt, toKubernetes, toProperties } from "../object.ts";
import { isObject } from "../value.ts";
import { InitError } from "./init-error.ts";
import { prune } from "./prune.ts";
import { markSecrets } from "./secrets.ts";
import { normalizedInputs } from "./check.ts";
import { fieldManagerOf, initialApiVersionOf, readCheckpoint, writeCheckpoint } from "./state.ts";
import type { Log } from "../engine.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";
import type { Stored } from "./stored.ts";

/** What the engine asks to read. */
export interface ReadArgs {
  readonly urn: string;
  readonly id: string;
  readonly state: JsonObject;
  readonly inputs: JsonObject;
}

/** A live object with the inputs that would have made it. */
export interface ReadResult extends Stored {
  readonly inputs: JsonObject;
}

/** Metadata that the server sets; an import must not take it for inputs. */
const SERVER_METADATA = [
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
  "selfLink",
];

/** Reads an object for a refresh or an import; undefined when it is gone. */
export async function read(
  session: Session,
  log: Log,
  args: ReadArgs,
): Promise<ReadResult | undefined> {
  const inputs = inputsToRead(args);
  const imported = Object.keys(args.inputs).length === 0;
  const live = await findLive(session, inputs, args.id);
  if (live === undefined) return undefined;
  const liveInputs = imported ? importedInputs(live) : prune(live, inputs);
  const result = resultOf(args, live, liveInputs);
  if (imported) return result;
  const failure = await checkReady(session, log, { urn: args.urn, inputs, live });
  if (failure !== undefined) throw new InitError(messageOf(failure), result, failure);
  return result;
}

function inputsToRead(args: ReadArgs): JsonObject {
  const inputs = normalizedInputs(toKubernetes(args.inputs));
  if (textAt(inputs, "kind") !== "") return inputs;
  const { live } = readCheckpoint(args.state);
  const token = typeInfo(typeOfUrn(args.urn));
  const read: JsonObject = {
    ...inputs,
    apiVersion: textAt(live, "apiVersion") || token.apiVersion,
    kind: textAt(live, "kind") || token.kind,
  };
  return read;
}

async function findLive(
  session: Session,
  inputs: JsonObject,
  id: string,
): Promise<JsonObject | undefined> {
  const [first = "", second] = id.split("/");
  const name = second ?? first;
  const namespace = namespaceOf(inputs) || (second === undefined ? "" : first);
  try {
    const ref = {
      apiVersion: textAt(inputs, "apiVersion"),
      kind: textAt(inputs, "kind"),
      namespace,
      name,
    };
    return await session.objects.get(ref);
  } catch (error) {
    if (isNotFound(error) || error instanceof NoMatchError) return undefined;
    throw error;
  }
}

function importedInputs(live: JsonObject): JsonObject {
  const { status: _status, ...inputs } = live;
  const metadata = isObject(inputs["metadata"]) ? inputs["metadata"] : {};
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_METADATA.includes(key));
  const result: JsonObject = { ...inputs, metadata: Object.fromEntries(kept) };
  const annotations = isObject(metadata["annotations"]) ? metadata["annotations"] : undefined;
  if (annotations === undefined) return result;
  const {
    "deployment.kubernetes.io/revision": _revision,
    "kubectl.kubernetes.io/last-applied-configuration": _last,
    ...own
  } = annotations;
  setMetadata(result, "annotations", own);
  return result;
}

function resultOf(args: ReadArgs, live: JsonObject, liveInputs: JsonObject): ReadResult {
  const inputs = toProperties(liveInputs);
  markSecrets(inputs, args.inputs);
  const state = writeCheckpoint({
    inputs: liveInputs,
    live,
    marked: args.inputs,
    initialApiVersion: initialApiVersionOf(args.state, liveInputs),
    fieldManager: fieldManagerOf(args.state, liveInputs),
  });
  return { id: args.id === "" ? idOf(live) : args.id, state, inputs };
}
