import { at, listAt, textAt } from "../object.ts";
import { isObject } from "../value.ts";
import type { Json, JsonObject } from "../value.ts";

/** Which fields to leave alone, and who asks. */
export interface IgnoreArgs {
  readonly ignored: readonly string[];
  readonly fieldManager: string;
}

/**
 * Leaves the ignored fields of an apply as they are: without them where another manager owns them, with the live value
 * otherwise, because an apply drops what it no longer names. Paths through lists are not handled, as in the official
 * provider (await.go, handleSSAIgnoreFields).
 */
export function ignoreFields(inputs: JsonObject, live: JsonObject, args: IgnoreArgs): JsonObject {
  return args.ignored.reduce((object, path) => {
    const steps = path.split(".");
    const value = at(live, ...steps);
    if (value === undefined) return object;
    return replaceAt(object, steps, isOthers(live, steps, args.fieldManager) ? undefined : value);
  }, inputs);
}

function isOthers(live: JsonObject, steps: readonly string[], fieldManager: string): boolean {
  const fields = steps.map((step) => `f:${step}`);
  const owners = listAt(live, "metadata", "managedFields")
    .filter((entry) => at(entry, "fieldsV1", ...fields) !== undefined)
    .map((entry) => textAt(entry, "manager"));
  return owners.length > 0 && !owners.includes(fieldManager);
}

function replaceAt(
  object: JsonObject,
  steps: readonly string[],
  value: Json | undefined,
): JsonObject {
  const [first, ...rest] = steps;
  if (first === undefined) return object;
  const { [first]: child, ...others } = object;
  if (rest.length === 0) return value === undefined ? others : { ...others, [first]: value };
  return { ...others, [first]: replaceAt(isObject(child) ? child : {}, rest, value) };
}
