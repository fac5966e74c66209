/** A property value as the engine sends it: JSON, with marked objects for secrets and outputs. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** An object of property values. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Key that marks an object as a special value (pulumi/pulumi@v3.259.0:sdk/go/common/resource/sig/sig.go). */
export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
/** Signature of a secret, same source. */
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** Signature of an output value, same source. */
export const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
/** Stands for a value that is not known before `up` (sdk/go/common/resource/plugin/rpc.go). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** An object without a signature, such as Helm values or the members of `helmOptions`. */
export function isPlainObject(value: Json | undefined): value is JsonObject {
  return isObject(value) && !(SIGNATURE_KEY in value);
}

/**
 * True for what only an `Input` can carry: a secret, an unknown, an output with dependencies. A component's plain
 * inputs refuse these.
 */
export function isOutputLike(value: Json): boolean {
  if (value === UNKNOWN) return true;
  if (!isObject(value)) return false;
  if (value[SIGNATURE_KEY] === SECRET) return true;
  if (value[SIGNATURE_KEY] !== OUTPUT) return false;
  const dependencies = value["dependencies"];
  return (
    value["value"] === undefined ||
    value["secret"] === true ||
    (Array.isArray(dependencies) && dependencies.length > 0)
  );
}

/** True when the value or anything in it is {@link isOutputLike}. */
export function containsOutput(value: Json): boolean {
  if (isOutputLike(value)) return true;
  if (Array.isArray(value)) return value.some(containsOutput);
  return isObject(value) && Object.values(value).some(containsOutput);
}

/**
 * Output values as the value, secret or unknown they stand for, at any depth. Members that are null are left out, as
 * the Go SDK leaves them out (sdk/go/pulumi/rpc.go): a null in Helm values does not remove a chart's default.
 */
export function lowerOutputs(value: Json): Json {
  if (Array.isArray(value)) return value.map(lowerOutputs);
  if (!isObject(value)) return value;
  if (value[SIGNATURE_KEY] !== OUTPUT) {
    const members = Object.entries(value).filter(
      ([, item]) => item !== null || SIGNATURE_KEY in value,
    );
    return Object.fromEntries(members.map(([key, item]) => [key, lowerOutputs(item)]));
  }
  const inner = value["value"] === undefined ? UNKNOWN : lowerOutputs(value["value"]);
  return value["secret"] === true ? { [SIGNATURE_KEY]: SECRET, value: inner } : inner;
}

/** The URNs that output values in it depend on. */
export function dependenciesOf(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(dependenciesOf);
  if (!isObject(value)) return [];
  const own = value[SIGNATURE_KEY] === OUTPUT ? value["dependencies"] : undefined;
  const urns = Array.isArray(own) ? own.filter((urn) => typeof urn === "string") : [];
  return [...urns, ...Object.values(value).flatMap(dependenciesOf)];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
