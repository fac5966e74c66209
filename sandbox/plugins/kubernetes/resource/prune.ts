import { isObject } from "../value.ts";
import type { Json, JsonObject } from "../value.ts";

/**
 * Keeps of the live object what the old inputs name, so that fields which the cluster fills in make no diff. Values of
 * another type than the input's stay whole, and lists end where the inputs' lists end (provider/util.go, pruneMap).
 */
export function prune(live: JsonObject, shape: JsonObject): JsonObject {
  const pruned: JsonObject = {};
  for (const [key, value] of Object.entries(live)) {
    const wanted = shape[key];
    if (wanted !== undefined) pruned[key] = pruneValue(value, wanted);
  }
  return pruned;
}

function pruneValue(value: Json, wanted: Json): Json {
  if (isObject(value) && isObject(wanted)) return prune(value, wanted);
  if (Array.isArray(value) && Array.isArray(wanted)) return pruneList(value, wanted);
  return value;
}

function pruneList(live: Json[], shape: Json[]): Json[] {
  if (live.length === 0 || shape.length === 0) return [];
  return live.slice(0, shape.length).map((value, index) => pruneValue(value, shape[index] ?? null));
}
