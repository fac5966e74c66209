import { UnknownValueError } from "@pulumi/policy";

/** Stands for what a preview cannot know yet. */
export const UNKNOWN = "<unknown until pulumi up>";

/**
 * A copy of a resource's properties in which unknown values are replaced. Touching one would end the whole policy
 * with a mere advice, and a mandatory rule must not be silenced by an unrelated field that is not known yet.
 */
export function knownValues(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value))
    return Array.from({ length: value.length }, (_, index) => read(value, index));
  return Object.fromEntries(Object.keys(value).map((key) => [key, read(value, key)]));
}

function read(holder: object, key: string | number): unknown {
  try {
    return knownValues((holder as Record<string | number, unknown>)[key]);
  } catch (error) {
    if (error instanceof UnknownValueError) return UNKNOWN;
    throw error;
  }
}
