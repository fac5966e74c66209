import struct from "google-protobuf/google/protobuf/struct_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

/** What JSON can hold, which is also what a protobuf Struct can hold. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
/** An object of JSON values; Kubernetes objects travel in this form. */
export interface JsonObject {
  [key: string]: Json;
}

/** Key that marks a special value of Pulumi (pulumi/pulumi@v3.259.0:sdk/go/common/resource/sig/sig.go). */
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";
/** A value of no known type that a run will tell; the others below are the same by type (sdk/go/common/resource/plugin/rpc.go). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWN_VALUES: ReadonlySet<string> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  UNKNOWN,
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** True for an object that is neither null nor a list. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a message's properties; secrets keep their marks, see {@link stripMarks}. */
export function fromStruct(message: Struct | undefined): JsonObject {
  return message === undefined ? {} : message.toJavaScript();
}

/** Writes properties into a message. */
export function toStruct(value: JsonObject): Struct {
  return struct.Struct.fromJavaScript(value);
}

/** A value that Pulumi encrypts in its state and hides in its output. */
export function secret(value: Json): JsonObject {
  return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value };
}

/** True when the value itself, not only a part of it, is marked as secret. */
export function isSecret(value: Json | undefined): boolean {
  return isObject(value) && value[SIGNATURE_KEY] === SECRET_SIGNATURE;
}

/** True when the value or any part of it is marked as secret. */
export function containsSecret(value: Json | undefined): boolean {
  if (isSecret(value)) return true;
  return children(value).some(containsSecret);
}

/** True when the value or any part of it is not known yet, which happens in previews only. */
export function containsUnknown(value: Json | undefined): boolean {
  if (typeof value === "string") return UNKNOWN_VALUES.has(value);
  if (isObject(value) && value[SIGNATURE_KEY] === OUTPUT_SIGNATURE && !("value" in value))
    return true;
  return children(value).some(containsUnknown);
}

/** True for a value that is not known yet as a whole. */
export function isUnknown(value: Json | undefined): boolean {
  return typeof value === "string" && UNKNOWN_VALUES.has(value);
}

/** The plain value: secrets and outputs replaced by what they carry, references to resources by their id. */
export function stripMarks(value: Json): Json {
  if (Array.isArray(value)) return value.map(stripMarks);
  if (!isObject(value)) return value;
  const signature = value[SIGNATURE_KEY];
  if (signature === SECRET_SIGNATURE || signature === OUTPUT_SIGNATURE) {
    return stripMarks(value["value"] ?? null);
  }
  if (signature === RESOURCE_SIGNATURE) return value["id"] ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stripMarks(item)]));
}

/** {@link stripMarks} for objects. */
export function plainObject(value: JsonObject): JsonObject {
  const plain = stripMarks(value);
  return isObject(plain) ? plain : {};
}

function children(value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}
