import { at, isSecretObject, textAt } from "../object.ts";
import { containsSecret, isObject, isSecret, secret } from "../value.ts";
import type { Json, JsonObject } from "../value.ts";

/**
 * Marks in `outs` what is secret in `ins`, and the data of every Secret whoever set it. Inside lists one secret makes
 * the whole list secret, because clusters reorder lists (provider.go, annotateSecrets).
 */
export function markSecrets(outs: JsonObject, ins: JsonObject): void {
  if (outs["kind"] === "Secret") {
    for (const key of ["data", "stringData"]) {
      const value = outs[key];
      if (value !== undefined && !isSecret(value)) outs[key] = secret(value);
    }
    return;
  }
  for (const [key, value] of Object.entries(ins)) markKey(outs, key, value);
}

function markKey(outs: JsonObject, key: string, given: Json): void {
  const value = outs[key];
  if (value === undefined || isSecret(value)) return;
  if (isObject(value) && isObject(given) && !isSecret(given)) markSecrets(value, given);
  else if (containsSecret(given)) outs[key] = secret(value);
}

/** `stringData` as `data`, which is how the API server keeps it; data in its canonical base64 form. */
export function normalizeSecretData(object: JsonObject): JsonObject {
  if (!isSecretObject(object)) return object;
  const { stringData, ...rest } = object;
  const data = isObject(rest["data"]) ? rest["data"] : {};
  const added = isObject(stringData) ? stringData : {};
  const encoded = [
    ...Object.entries(data).map(([key, value]) => [key, reencode(value)] as const),
    ...Object.entries(added).map(([key, value]) => [key, encode(value)] as const),
  ];
  return encoded.length === 0 ? object : { ...rest, data: Object.fromEntries(encoded) };
}

function encode(value: Json): Json {
  return typeof value === "string" ? Buffer.from(value, "utf8").toString("base64") : value;
}

function reencode(value: Json): Json {
  return typeof value === "string" ? Buffer.from(value, "base64").toString("base64") : value;
}

/** True when an object may not be changed at all. */
export function isImmutable(object: JsonObject): boolean {
  return at(object, "immutable") === true;
}

/** True for a ConfigMap of the core API. */
export function isConfigMap(object: JsonObject): boolean {
  return textAt(object, "kind") === "ConfigMap" && textAt(object, "apiVersion") === "v1";
}
