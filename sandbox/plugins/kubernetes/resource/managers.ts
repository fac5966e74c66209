import { isObject } from "../value.ts";
import { listAt, setMetadata, textAt } from "../object.ts";
import { refOf } from "../api/objects.ts";
import type { Objects } from "../api/objects.ts";
import type { Json, JsonObject } from "../value.ts";

/** Managers whose fields the first apply takes over: kubectl's and this provider's own creates (await.go). */
const TAKEN_OVER: ReadonlySet<string> = new Set([
  "kubectl Apply",
  "kubectl Update",
  "before-first-apply Update",
  "pulumi-kubernetes Update",
  "pulumi-kubernetes.exe Update",
  "pulumi-resource-kubernetes Update",
]);
/** Managers that a create of this provider leaves. */
const OWN: ReadonlySet<string> = new Set(
  [...TAKEN_OVER].filter((manager) => manager.startsWith("pulumi-")),
);

/** True when the object still has fields from a create, which the next real update takes over. */
export function hasCreateManager(live: JsonObject): boolean {
  return managedFields(live).some((entry) => OWN.has(managerOf(entry)));
}

/** True for objects older than field management: nobody owns anything. */
export function hasNoManagers(live: JsonObject): boolean {
  return managedFields(live).length === 0;
}

/** Hands the fields of a create over to the manager that applies, so that its apply is no conflict with itself. */
export async function takeOverFields(
  objects: Objects,
  live: JsonObject,
  fieldManager: string,
): Promise<JsonObject> {
  const entries = managedFields(live);
  const ours = entries.filter((entry) => isTaken(entry));
  if (ours.length === 0) return live;
  const merged = mergeEntries(entries, ours, fieldManager);
  const operations: Json[] = [
    { op: "replace", path: "/metadata/managedFields", value: merged },
    {
      op: "replace",
      path: "/metadata/resourceVersion",
      value: textAt(live, "metadata", "resourceVersion"),
    },
  ];
  return objects.patch(refOf(live), operations);
}

/** Gives up all fields of a manager; what nobody else owns goes back to its default. */
export async function relinquish(
  objects: Objects,
  object: JsonObject,
  fieldManager: string,
): Promise<void> {
  const { apiVersion, kind, namespace, name } = refOf(object);
  const bare: JsonObject = { apiVersion, kind };
  setMetadata(bare, "name", name);
  if (namespace !== "") setMetadata(bare, "namespace", namespace);
  await objects.apply(bare, { fieldManager, dryRun: false });
}

function mergeEntries(
  entries: JsonObject[],
  ours: JsonObject[],
  fieldManager: string,
): JsonObject[] {
  const mine = entries.filter((entry) => managerOf(entry) === `${fieldManager} Apply`);
  const [first] = [...mine, ...ours];
  const fieldsV1 = [...mine, ...ours]
    .map((entry) => entry["fieldsV1"])
    .filter(isObject)
    .reduce(mergeFields, {});
  const entry: JsonObject = { ...first, manager: fieldManager, operation: "Apply", fieldsV1 };
  const others = entries.filter((item) => !mine.includes(item) && !ours.includes(item));
  return [...others, entry];
}

function mergeFields(left: JsonObject, right: JsonObject): JsonObject {
  const merged: JsonObject = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const known = merged[key];
    merged[key] = isObject(known) && isObject(value) ? mergeFields(known, value) : value;
  }
  return merged;
}

/** Status belongs to the controllers, whoever wrote it. */
function isTaken(entry: JsonObject): boolean {
  return TAKEN_OVER.has(managerOf(entry)) && textAt(entry, "subresource") === "";
}

function managerOf(entry: JsonObject): string {
  return `${textAt(entry, "manager")} ${textAt(entry, "operation")}`;
}

function managedFields(live: JsonObject): JsonObject[] {
  return listAt(live, "metadata", "managedFields").filter(isObject);
}
