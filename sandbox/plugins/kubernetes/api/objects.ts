import { isObject } from "../value.ts";
import { nameOf, namespaceOf, textAt } from "../object.ts";
import { Discovery } from "./discovery.ts";
import { isNotFound } from "./error.ts";
import type { ApiClient } from "./client.ts";
import type { Json, JsonObject } from "../value.ts";

/** How a change is made. */
export interface WriteOptions {
  readonly fieldManager: string;
  /** Ask the server what would be, without doing it. */
  readonly dryRun: boolean;
  /** Take over fields of other managers; for server-side apply only. */
  readonly force?: boolean;
}

/** What identifies an object. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Content type of server-side apply; JSON is YAML. */
const APPLY = "application/apply-patch+yaml";

/** Reads and writes objects of any kind. */
export class Objects {
  readonly client: ApiClient;
  readonly discovery: Discovery;

  constructor(client: ApiClient) {
    this.client = client;
    this.discovery = new Discovery(client);
  }

  /** Creates an object that must not be there. */
  async create(object: JsonObject, options: WriteOptions): Promise<JsonObject> {
    const path = await this.#collection(refOf(object));
    return asObject(
      await this.client.send({ method: "POST", path, body: object, query: queryOf(options) }),
    );
  }

  /** Server-side apply: creates or changes, and owns exactly the fields given. */
  async apply(object: JsonObject, options: WriteOptions): Promise<JsonObject> {
    const path = await this.#path(refOf(object));
    const query = { ...queryOf(options), force: String(options.force ?? false) };
    return asObject(
      await this.client.send({ method: "PATCH", path, body: object, query, contentType: APPLY }),
    );
  }

  /** Replaces the whole object; its resource version must be the live one. */
  async replace(object: JsonObject, options: WriteOptions): Promise<JsonObject> {
    const path = await this.#path(refOf(object));
    return asObject(
      await this.client.send({ method: "PUT", path, body: object, query: queryOf(options) }),
    );
  }

  /** Changes an object by a JSON patch (RFC 6902). */
  async patch(ref: ObjectRef, operations: Json[]): Promise<JsonObject> {
    const contentType = "application/json-patch+json";
    const path = await this.#path(ref);
    return asObject(
      await this.client.send({ method: "PATCH", path, body: operations, contentType }),
    );
  }

  /** The live object; throws when it is not there. */
  async get(ref: ObjectRef): Promise<JsonObject> {
    return asObject(await this.client.send({ path: await this.#path(ref) }));
  }

  /** The live object, undefined when it is not there. */
  async find(ref: ObjectRef): Promise<JsonObject | undefined> {
    try {
      return await this.get(ref);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Asks for the removal of an object, which is not the end of it: finalizers may hold it. */
  async remove(ref: ObjectRef, propagationPolicy: string): Promise<void> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy };
    await this.client.send({ method: "DELETE", path: await this.#path(ref), body });
  }

  /** Objects of a kind in a namespace. */
  async list(
    ref: Omit<ObjectRef, "name">,
    query: Readonly<Record<string, string>> = {},
  ): Promise<JsonObject[]> {
    const path = await this.#collection({ ...ref, name: "" });
    const answer = asObject(await this.client.send({ path, query }));
    return Array.isArray(answer["items"]) ? answer["items"].filter(isObject) : [];
  }

  async #collection(ref: ObjectRef): Promise<string> {
    const { plural, namespaced } = await this.discovery.resource(ref.apiVersion, ref.kind);
    const root = ref.apiVersion.includes("/")
      ? `/apis/${ref.apiVersion}`
      : `/api/${ref.apiVersion}`;
    const scope = namespaced
      ? `/namespaces/${ref.namespace === "" ? "default" : ref.namespace}`
      : "";
    return `${root}${scope}/${plural}`;
  }

  async #path(ref: ObjectRef): Promise<string> {
    return `${await this.#collection(ref)}/${encodeURIComponent(ref.name)}`;
  }
}

/** What identifies the object given. */
export function refOf(object: JsonObject): ObjectRef {
  return {
    apiVersion: textAt(object, "apiVersion"),
    kind: textAt(object, "kind"),
    namespace: namespaceOf(object),
    name: nameOf(object),
  };
}

function queryOf(options: WriteOptions): Record<string, string> {
  const dryRun = options.dryRun ? { dryRun: "All" } : {};
  // As client-go does: unknown fields are a warning, which nobody here reads.
  return { fieldManager: options.fieldManager, ...dryRun };
}

function asObject(value: Json): JsonObject {
  return isObject(value) ? value : {};
}
