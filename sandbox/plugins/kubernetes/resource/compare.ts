import { isBuiltIn, typeInfo, typeOfUrn } from "../kinds.ts";
import {
  at,
  isAnnotationTrue,
  nameOf,
  namespaceOf,
  setMetadata,
  textAt,
  toKubernetes,
} from "../object.ts";
import { isObject, isUnknown } from "../value.ts";
import { normalizedInputs } from "./check.ts";
import { differences, withoutIgnored } from "./diff.ts";
import { replaces, replacingFields } from "./force-new.ts";
import { AUTONAMED } from "./naming.ts";
import { prune } from "./prune.ts";
import { readCheckpoint } from "./state.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";
import type { Change } from "./diff.ts";

/** What the engine asks to compare. */
export interface CompareArgs {
  readonly urn: string;
  readonly state: JsonObject;
  readonly news: JsonObject;
  readonly ignored: readonly string[];
}

/** What a change means for the object. */
export interface Comparison {
  readonly changes: ReadonlyMap<string, Change>;
  /** Changed paths that need a new object. */
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/**
 * Compares the new inputs with what the cluster last had of the old ones. It asks the cluster nothing but the scope of
 * the kind: drift shows after a refresh.
 */
export async function compare(session: Session, args: CompareArgs): Promise<Comparison> {
  const old = readCheckpoint(args.state);
  const wants = normalizedInputs(toKubernetes(args.news));
  const had = prune(old.live, normalizedInputs(old.inputs));
  await alignNamespaces(session, had, wants);
  alignIdentity(old.live, had, wants);
  const builtIn = isBuiltIn(textAt(wants, "apiVersion"));
  const changes = withoutIgnored(differences(had, wants, builtIn), args.ignored);
  const info = typeInfo(typeOfUrn(args.urn), textAt(wants, "kind"));
  const fields = replacingFields(wants, info.patch, session.mutable);
  const replaced = [...changes.keys()].filter((path) => replaces(path, fields));
  return {
    changes,
    replaces: replaced,
    deleteBeforeReplace: replaced.length > 0 && keepsName(old.live, wants),
  };
}

/** The new object needs the old one's place when the program fixed the name and changed neither it nor the namespace. */
function keepsName(live: JsonObject, wants: JsonObject): boolean {
  if (isUnknown(at(wants, "metadata", "name")) || isAnnotationTrue(wants, AUTONAMED)) return false;
  return nameOf(wants) === nameOf(live) && namespaceOf(wants) === namespaceOf(live);
}

async function alignNamespaces(
  session: Session,
  had: JsonObject,
  wants: JsonObject,
): Promise<void> {
  const { discovery } = session.objects;
  const scope = await discovery.isNamespaced(textAt(wants, "apiVersion"), textAt(wants, "kind"));
  for (const object of [had, wants]) {
    if (scope ?? true)
      setMetadata(object, "namespace", at(object, "metadata", "namespace") ?? "default");
    else clearMetadata(object, "namespace");
  }
}

function alignIdentity(live: JsonObject, had: JsonObject, wants: JsonObject): void {
  had["apiVersion"] ??= wants["apiVersion"] ?? "";
  had["kind"] ??= wants["kind"] ?? "";
  clearMetadata(had, "resourceVersion");
  if (nameOf(wants) !== "") setMetadata(had, "name", nameOf(live));
}

function clearMetadata(object: JsonObject, key: string): void {
  const { metadata } = object;
  if (!isObject(metadata)) return;
  const { [key]: _dropped, ...rest } = metadata;
  object["metadata"] = rest;
}
