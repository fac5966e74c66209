import { at, listAt, numberAt, textAt } from "../object.ts";
import { isObject } from "../value.ts";
import type { JsonObject } from "../value.ts";

/** The condition of a type in `status.conditions`. */
export function condition(live: JsonObject, type: string): JsonObject | undefined {
  return listAt(live, "status", "conditions")
    .filter(isObject)
    .find((item) => item["type"] === type);
}

/** `status` of a condition, empty when it is absent. */
export function conditionStatus(live: JsonObject, type: string): string {
  return textAt(condition(live, type), "status");
}

/** True while the status is about an older form of the object. */
export function isStale(live: JsonObject): boolean {
  const observed = numberAt(live, "status", "observedGeneration");
  return observed !== undefined && observed < (numberAt(live, "metadata", "generation") ?? 0);
}

/** Conditions that are not True, as lines for people. */
export function unmetConditions(live: JsonObject): string[] {
  return listAt(live, "status", "conditions")
    .filter((item) => at(item, "status") !== "True")
    .map(
      (item) => `[${textAt(item, "type")}] ${textAt(item, "reason")}: ${textAt(item, "message")}`,
    );
}
