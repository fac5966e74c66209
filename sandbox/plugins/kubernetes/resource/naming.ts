import { createHash } from "node:crypto";
import { isAnnotationTrue, nameOf, setAnnotation, setMetadata } from "../object.ts";
import type { JsonObject } from "../value.ts";

/** Annotation of an object whose name Pulumi chose. */
export const AUTONAMED = "pulumi.com/autonamed";
/** Hexadecimal digits of a random name (sdk/go/common/resource/unique.go). */
const SUFFIX_LENGTH = 8;

/** A name with a suffix that follows from the seed, or is random without one. */
export function uniqueName(prefix: string, seed: Uint8Array): string {
  const bytes = seed.length > 0 ? seed : crypto.getRandomValues(new Uint8Array(16));
  const digest = createHash("sha256").update(prefix).update(bytes).digest("hex");
  return `${prefix}${digest.slice(0, SUFFIX_LENGTH)}`;
}

/** Gives an object without a name one that starts with the resource's. */
export function autoname(
  object: JsonObject,
  resourceName: string,
  proposed: string | Uint8Array,
): void {
  if (nameOf(object) !== "") return;
  const name = typeof proposed === "string" ? proposed : uniqueName(`${resourceName}-`, proposed);
  setMetadata(object, "name", name);
  setAnnotation(object, AUTONAMED, "true");
}

/** Keeps the name that an earlier run chose. */
export function adoptName(object: JsonObject, old: JsonObject): void {
  if (nameOf(object) !== "" || !isAnnotationTrue(old, AUTONAMED)) return;
  setMetadata(object, "name", nameOf(old));
  setAnnotation(object, AUTONAMED, "true");
}
