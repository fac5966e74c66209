import { annotation, isCrd, nameOf, namespaceOf, textAt } from "../object.ts";
import type { JsonObject } from "../value.ts";

/** Annotation that names objects to come first: `group/kind/name` or `group/namespaces/ns/kind/name`, by commas. */
const DEPENDS_ON = "config.kubernetes.io/depends-on";

/**
 * Which objects must be there before which: definitions before their custom resources, namespaces before their content,
 * and what the annotation names (kubernetes-sigs/cli-utils: pkg/object/graph/depends.go). Positions in the list given.
 */
export function edges(objects: readonly JsonObject[]): number[][] {
  const places = placesOf(objects);
  return objects.map((object, own) => {
    const wanted = [
      definitionKey(object),
      `namespace ${namespaceOf(object)}`,
      ...namedKeys(object),
    ];
    const found = wanted.map((key) => places.get(key));
    return [...new Set(found.filter((place) => place !== undefined && place !== own))] as number[];
  });
}

function placesOf(objects: readonly JsonObject[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  objects.forEach((object, index) => {
    places.set(
      objectKey(groupOf(object), textAt(object, "kind"), namespaceOf(object), nameOf(object)),
      index,
    );
    if (textAt(object, "kind") === "Namespace") places.set(`namespace ${nameOf(object)}`, index);
    if (isCrd(object)) {
      places.set(
        `definition ${textAt(object, "spec", "group")}/${textAt(object, "spec", "names", "kind")}`,
        index,
      );
    }
  });
  return places;
}

function namedKeys(object: JsonObject): string[] {
  const text = annotation(object, DEPENDS_ON);
  if (text === "") return [];
  return text.split(",").map((reference) => {
    const parts = reference.trim().split("/");
    const [group = "", , namespace = "", kind = "", name = ""] = parts;
    if (parts.length === 5) return objectKey(group, kind, namespace, name);
    return objectKey(group, parts[1] ?? "", "", parts[2] ?? "");
  });
}

function definitionKey(object: JsonObject): string {
  return `definition ${groupOf(object)}/${textAt(object, "kind")}`;
}

function groupOf(object: JsonObject): string {
  const apiVersion = textAt(object, "apiVersion");
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

function objectKey(group: string, kind: string, namespace: string, name: string): string {
  return `object ${group}/${kind}/${namespace}/${name}`;
}
