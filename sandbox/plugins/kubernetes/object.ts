import { isObject, plainObject } from "./value.ts";
import type { Json, JsonObject } from "./value.ts";

/** Keys of OpenAPI extensions that Pulumi spells with underscores (provider.go, underscoreToDashMap). */
const DASHED_KEYS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "embedded-resource",
    "int-or-string",
    "list-map-keys",
    "list-type",
    "map-type",
    "preserve-unknown-fields",
    "validations",
  ].map((name) => [`x_kubernetes_${name.replaceAll("-", "_")}`, `x-kubernetes-${name}`]),
);
const UNDERSCORED_KEYS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(DASHED_KEYS).map(([underscored, dashed]) => [dashed, underscored]),
);

/** The value at a path, undefined where a step is absent. */
export function at(
  value: Json | undefined,
  ...path: readonly (string | number)[]
): Json | undefined {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current)) current = typeof step === "number" ? current[step] : undefined;
    else current = isObject(current) ? current[String(step)] : undefined;
  }
  return current;
}

/** The text at a path, empty where there is none. */
export function textAt(value: Json | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** The list at a path, empty where there is none. */
export function listAt(value: Json | undefined, ...path: readonly (string | number)[]): Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The number at a path, undefined where there is none. */
export function numberAt(
  value: Json | undefined,
  ...path: readonly (string | number)[]
): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** Sets one field of `metadata`, making `metadata` when it is absent. */
export function setMetadata(object: JsonObject, key: string, value: Json): void {
  const metadata = object["metadata"];
  object["metadata"] = { ...(isObject(metadata) ? metadata : {}), [key]: value };
}

/** Sets one annotation. */
export function setAnnotation(object: JsonObject, key: string, value: string): void {
  const annotations = at(object, "metadata", "annotations");
  setMetadata(object, "annotations", {
    ...(isObject(annotations) ? annotations : {}),
    [key]: value,
  });
}

/** An annotation's text, empty when it is not set. */
export function annotation(object: JsonObject, key: string): string {
  return textAt(object, "metadata", "annotations", key);
}

/** True for annotations that are switches and are on. */
export function isAnnotationTrue(object: JsonObject, key: string): boolean {
  return annotation(object, key) === "true";
}

/** `metadata.name`, empty when not set. */
export function nameOf(object: JsonObject): string {
  return textAt(object, "metadata", "name");
}

/** `metadata.namespace`, empty when not set. */
export function namespaceOf(object: JsonObject): string {
  return textAt(object, "metadata", "namespace");
}

/** The id that Pulumi keeps: `<namespace>/<name>`, or the name alone. */
export function idOf(object: JsonObject): string {
  const namespace = namespaceOf(object);
  return namespace === "" ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}

/** `<kind> <namespace>/<name>`, for messages. */
export function describe(object: JsonObject): string {
  return `${textAt(object, "kind")} ${idOf(object)}`;
}

/** True for a CustomResourceDefinition. */
export function isCrd(object: JsonObject): boolean {
  return (
    textAt(object, "kind") === "CustomResourceDefinition" &&
    textAt(object, "apiVersion").startsWith("apiextensions.k8s.io/")
  );
}

/** True for a Secret of the core API. */
export function isSecretObject(object: JsonObject): boolean {
  return textAt(object, "kind") === "Secret" && textAt(object, "apiVersion") === "v1";
}

/** A Kubernetes object from a resource's properties: no marks, extension keys as Kubernetes spells them. */
export function toKubernetes(properties: JsonObject): JsonObject {
  return renameKeys(plainObject(properties), DASHED_KEYS);
}

/** A Kubernetes object with extension keys as Pulumi spells them. */
export function toProperties(object: JsonObject): JsonObject {
  return renameKeys(object, UNDERSCORED_KEYS);
}

function renameKeys(value: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  const renamed = (item: Json): Json => {
    if (Array.isArray(item)) return item.map(renamed);
    return isObject(item) ? renameKeys(item, names) : item;
  };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [names[key] ?? key, renamed(item)]),
  );
}
