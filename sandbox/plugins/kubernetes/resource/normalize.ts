import { isBuiltIn } from "../kinds.ts";
import { at, isCrd, textAt } from "../object.ts";
import { containsUnknown, isObject } from "../value.ts";
import { normalizeSecretData } from "./secrets.ts";
import { canonicalQuantity, holdsQuantities } from "./quantity.ts";
import type { Json, JsonObject } from "../value.ts";

/**
 * Lists that the API always writes, empty or not. An empty one is an input like any other: a cluster role whose rules
 * the cluster aggregates shows as changed by exactly this.
 */
const ALWAYS_WRITTEN: ReadonlySet<string> = new Set(["rules", "subjects"]);

/**
 * Brings inputs of built-in kinds to the form in which the API server would give them back, so that different spellings
 * of one meaning make no diff. The official provider converts to Go types and back; here the same by rules: quantities
 * in canonical form, empty optional fields dropped, `stringData` as `data`. Custom resources stay as they are.
 */
export function normalize(object: JsonObject): JsonObject {
  if (containsUnknown(object) || !isBuiltIn(textAt(object, "apiVersion"))) return object;
  if (isCrd(object)) return normalizeCrd(object);
  const converted = normalizeSecretData(object);
  if (textAt(converted, "kind") === "Secret") return converted;
  return dropEmpty(converted);
}

function normalizeCrd(object: JsonObject): JsonObject {
  const { status: _status, ...rest } = object;
  const spec = rest["spec"];
  if (!isObject(spec) || at(spec, "preserveUnknownFields") !== false) return rest;
  const { preserveUnknownFields: _dropped, ...kept } = spec;
  return { ...rest, spec: kept };
}

function dropEmpty(object: JsonObject, quantities = false): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const converted = convert(key, value, quantities);
    if (isKept(key, converted)) kept[key] = converted;
  }
  return kept;
}

function convert(key: string, value: Json, quantities: boolean): Json {
  if (quantities && (typeof value === "string" || typeof value === "number"))
    return canonicalQuantity(value);
  if (Array.isArray(value)) return value.map((item) => (isObject(item) ? dropEmpty(item) : item));
  return isObject(value) ? dropEmpty(value, holdsQuantities(key)) : value;
}

/** Empty objects stay: in `emptyDir: {}` or `podSelector: {}` being there is the meaning. */
function isKept(key: string, value: Json): boolean {
  if (value === null) return false;
  return !Array.isArray(value) || value.length > 0 || ALWAYS_WRITTEN.has(key);
}
