import messages from "@pulumi/pulumi/proto/resource_pb.js";
import {
  annotation,
  describe,
  isSecretObject,
  nameOf,
  namespaceOf,
  setAnnotation,
  setMetadata,
  textAt,
  toProperties,
} from "../object.ts";
import { tokenOf } from "../kinds.ts";
import { secret } from "../value.ts";
import { edges } from "./edges.ts";
import { VERSION } from "../version.ts";
import { SKIP_AWAIT } from "../await/ready.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";
import type { Monitor } from "./monitor.ts";

/** A component whose children are to be registered. */
export interface Parent {
  readonly urn: string;
  /** Reference of the provider that the children use: `<urn>::<id>`; empty for the default one. */
  readonly provider: string;
  readonly monitor: Monitor;
}

/** What all children have in common. */
export interface ChildOptions {
  /** Stands before every child's name. */
  readonly prefix: string;
  readonly skipAwait: boolean;
  /** Namespace of objects that name none and live in one. */
  readonly namespace: string;
  /** Obey `helm.sh/resource-policy`. */
  readonly resourcePolicy: boolean;
  readonly warn: (message: string) => void;
}

const RESOURCE_POLICY = "helm.sh/resource-policy";

/** Fills in namespaces. Throws when an object lacks what identifies it. */
export async function completeObjects(
  session: Session,
  objects: readonly JsonObject[],
  namespace: string,
): Promise<JsonObject[]> {
  const { discovery } = session.objects;
  for (const object of objects) discovery.declare(object);
  const complete = async (object: JsonObject): Promise<JsonObject> => {
    requireIdentity(object);
    const completed = { ...object };
    const apiVersion = textAt(object, "apiVersion").replace(/^core\//, "");
    completed["apiVersion"] = apiVersion;
    if (namespaceOf(object) !== "" || namespace === "") return completed;
    const namespaced = await discovery.isNamespaced(apiVersion, textAt(object, "kind"));
    if (namespaced === true) setMetadata(completed, "namespace", namespace);
    return completed;
  };
  return Promise.all(objects.map(complete));
}

/** Registers objects as children, each as soon as those it needs are there. */
export async function registerChildren(
  parent: Parent,
  objects: readonly JsonObject[],
  options: ChildOptions,
): Promise<void> {
  const needed = edges(objects);
  const started: Promise<string>[] = [];
  const register = async (index: number, object: JsonObject): Promise<string> => {
    // Gives every other child its place in the list first.
    await Promise.resolve();
    const awaited = (needed[index] ?? []).flatMap((place) => started[place] ?? []);
    const dependencies = await Promise.all(awaited);
    const request = childRequest(parent, object, { ...options, dependencies });
    return parent.monitor.register(request, childProperties(object, options));
  };
  objects.forEach((object, index) => started.push(register(index, object)));
  const results = await Promise.allSettled(started);
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

function childRequest(
  parent: Parent,
  object: JsonObject,
  options: ChildOptions & { readonly dependencies: string[] },
) {
  const request = new messages.RegisterResourceRequest()
    .setType(tokenOf(textAt(object, "apiVersion"), textAt(object, "kind")))
    .setName(childName(object, options.prefix))
    .setParent(parent.urn)
    .setCustom(true)
    .setProvider(parent.provider)
    .setVersion(VERSION)
    .setDependenciesList(options.dependencies)
    .setAcceptsecrets(true)
    .setAcceptresources(true)
    .setSupportspartialvalues(true);
  if (isKept(object, options)) request.setRetainondelete(true);
  return request;
}

function childProperties(object: JsonObject, options: ChildOptions): JsonObject {
  const properties = toProperties(object);
  if (options.skipAwait) setAnnotation(properties, SKIP_AWAIT, "true");
  if (isSecretObject(object)) hideData(properties);
  return properties;
}

function hideData(properties: JsonObject): void {
  for (const key of ["data", "stringData"]) {
    const value = properties[key];
    if (value !== undefined) properties[key] = secret(value);
  }
}

function isKept(object: JsonObject, options: ChildOptions): boolean {
  const policy = options.resourcePolicy ? annotation(object, RESOURCE_POLICY) : "";
  if (policy === "" || policy === "keep") return policy === "keep";
  options.warn(`Unsupported Helm resource policy "${policy}"`);
  return false;
}

/** `<prefix>:<namespace>/<name>`, without the parts that are empty. */
function childName(object: JsonObject, prefix: string): string {
  const namespace = namespaceOf(object);
  const name = namespace === "" ? nameOf(object) : `${namespace}/${nameOf(object)}`;
  return prefix === "" ? name : `${prefix}:${name}`;
}

function requireIdentity(object: JsonObject): void {
  if (textAt(object, "apiVersion") === "" || textAt(object, "kind") === "") {
    throw new Error(
      `Kubernetes resources require a kind and apiVersion: ${JSON.stringify(object).slice(0, 100)}`,
    );
  }
  if (nameOf(object) === "") {
    throw new Error(`Kubernetes resources require a .metadata.name: ${describe(object)}`);
  }
}
