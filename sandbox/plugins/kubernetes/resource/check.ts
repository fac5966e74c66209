import {
  at,
  nameOf,
  namespaceOf,
  setMetadata,
  textAt,
  toKubernetes,
  toProperties,
} from "../object.ts";
import { nameOfUrn, typeInfo, typeOfUrn } from "../kinds.ts";
import { containsUnknown, isObject, isUnknown } from "../value.ts";
import { adoptName, autoname } from "./naming.ts";
import { markSecrets } from "./secrets.ts";
import { normalize } from "./normalize.ts";
import { prune } from "./prune.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";

/** What the engine asks to check. */
export interface CheckArgs {
  readonly urn: string;
  readonly olds: JsonObject;
  readonly news: JsonObject;
  readonly seed: Uint8Array;
  /** A name that the engine's autonaming wants; `false` when the project forbids automatic names. */
  readonly proposedName?: string | false;
}

/** Completes a resource's inputs: name, namespace, normal form. Throws what the user has to change. */
export async function checkInputs(session: Session, args: CheckArgs): Promise<JsonObject> {
  const inputs = normalizedInputs(toKubernetes(args.news));
  const info = typeInfo(typeOfUrn(args.urn), textAt(inputs, "kind"));
  if (info.kind.endsWith("List") && at(inputs, "items") !== undefined) {
    throw new Error(
      "list resources cannot be created directly; use the underlying resource type instead",
    );
  }
  if (info.patch && nameOf(inputs) === "") {
    throw new Error("patch resources require the `.metadata.name` field to be set");
  }
  nameInputs(args, inputs);
  await fillNamespace(session, inputs);
  session.objects.discovery.declare(inputs);
  const checked = toProperties(inputs);
  markSecrets(checked, args.news);
  return checked;
}

/** Inputs in the form in which they are compared; nothing is added that the program did not say. */
export function normalizedInputs(inputs: JsonObject): JsonObject {
  if (containsUnknown(inputs)) return withoutReadOnly(inputs);
  return withoutReadOnly(prune(normalize(inputs), withSecretData(inputs)));
}

/**
 * Metadata that only the API server writes. Generated manifests carry `creationTimestamp: null`, which would differ from
 * the live value on every run (provider.go, normalizeInputs).
 */
const READ_ONLY: ReadonlySet<string> = new Set([
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
]);

function withoutReadOnly(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (!isObject(metadata)) return object;
  const kept = Object.entries(metadata).filter(([key]) => !READ_ONLY.has(key));
  return { ...object, metadata: Object.fromEntries(kept) };
}

/** `stringData` becomes `data`, which pruning to the inputs' own shape would lose. */
function withSecretData(inputs: JsonObject): JsonObject {
  return inputs["kind"] === "Secret" ? { ...inputs, ...normalize(inputs) } : inputs;
}

function nameInputs(args: CheckArgs, inputs: JsonObject): void {
  if (isUnknown(at(inputs, "metadata", "name"))) return;
  if (Object.keys(args.olds).length > 0) adoptName(inputs, toKubernetes(args.olds));
  if (nameOf(inputs) !== "") return;
  if (textAt(inputs, "metadata", "generateName") !== "") {
    throw new Error(
      "the `.metadata.generateName` field is not supported in Server-Side Apply mode",
    );
  }
  if (args.proposedName === false) {
    throw new Error("autonaming is disabled, resource requires the .metadata.name field to be set");
  }
  autoname(inputs, nameOfUrn(args.urn), args.proposedName ?? args.seed);
}

async function fillNamespace(session: Session, inputs: JsonObject): Promise<void> {
  if (session.defaultNamespace === "" || namespaceOf(inputs) !== "") return;
  const { discovery } = session.objects;
  const namespaced = await discovery.isNamespaced(
    textAt(inputs, "apiVersion"),
    textAt(inputs, "kind"),
  );
  if (namespaced ?? true) setMetadata(inputs, "namespace", session.defaultNamespace);
}
