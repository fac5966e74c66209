import { annotation, at, isSecretObject, textAt, toKubernetes, toProperties } from "../object.ts";
import { containsSecret, isObject, isSecret, secret } from "../value.ts";
import { uniqueName } from "./naming.ts";
import { markSecrets } from "./secrets.ts";
import type { JsonObject } from "../value.ts";

/** Keys under which the official provider keeps what is not the object (provider.go). */
const INPUTS = "__inputs";
const FIELD_MANAGER = "__fieldManager";
const INITIAL_API_VERSION = "__initialApiVersion";
const FIELD_MANAGER_ANNOTATION = "pulumi.com/patchFieldManager";

/** What Pulumi's state holds of an object. */
export interface Checkpoint {
  readonly inputs: JsonObject;
  readonly live: JsonObject;
}

/** What goes with an object into the state. */
export interface CheckpointParts {
  readonly inputs: JsonObject;
  readonly live: JsonObject;
  /** The resource's properties with their secret marks. */
  readonly marked: JsonObject;
  readonly initialApiVersion: string;
  readonly fieldManager: string;
}

/** Reads a state back into plain objects. */
export function readCheckpoint(state: JsonObject): Checkpoint {
  const { [INPUTS]: inputs, ...live } = toKubernetes(state);
  delete live[FIELD_MANAGER];
  delete live[INITIAL_API_VERSION];
  return { inputs: isObject(inputs) ? inputs : {}, live };
}

/** The state to keep: the live object, what it was made from, and who owns its fields. */
export function writeCheckpoint(parts: CheckpointParts): JsonObject {
  const state = toProperties(parts.live);
  const inputs = toProperties(parts.inputs);
  markSecrets(state, parts.marked);
  markSecrets(inputs, parts.marked);
  const data = state["data"];
  const hidden = containsSecret(parts.marked["stringData"]) && isSecretObject(parts.live);
  if (hidden && data !== undefined && !isSecret(data)) state["data"] = secret(data);
  return {
    ...state,
    [INPUTS]: inputs,
    [INITIAL_API_VERSION]: parts.initialApiVersion,
    [FIELD_MANAGER]: parts.fieldManager,
  };
}

/** The name under which fields are owned: the annotation's, else the state's, else a new one. */
export function fieldManagerOf(state: JsonObject, inputs: JsonObject): string {
  const wanted = annotation(inputs, FIELD_MANAGER_ANNOTATION);
  if (wanted !== "") return wanted;
  const kept = textAt(state, FIELD_MANAGER);
  return kept === "" ? uniqueName("pulumi-kubernetes-", new Uint8Array()) : kept;
}

/** The API version that the object was first made with. */
export function initialApiVersionOf(state: JsonObject, inputs: JsonObject): string {
  const kept = at(state, INITIAL_API_VERSION);
  return typeof kept === "string" ? kept : textAt(inputs, "apiVersion");
}
