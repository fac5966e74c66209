import { isNotFound, NoMatchError } from "./error.ts";
import { isCrd, listAt, textAt } from "../object.ts";
import type { ApiClient } from "./client.ts";
import type { Json, JsonObject } from "../value.ts";

/** How the API server serves a kind. */
export interface ApiResource {
  /** The name in paths, such as `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** What the API server serves, asked once and kept. */
export class Discovery {
  readonly #client: ApiClient;
  readonly #served = new Map<string, Promise<ReadonlyMap<string, ApiResource>>>();
  /** Scopes of kinds whose definitions the program declares but which may not be on the cluster yet. */
  readonly #declared = new Map<string, boolean>();

  constructor(client: ApiClient) {
    this.#client = client;
  }

  /** Finds a kind; asks again once when it is not among what is known. Throws a {@link NoMatchError}. */
  async resource(apiVersion: string, kind: string): Promise<ApiResource> {
    const known = (await this.#group(apiVersion)).get(kind);
    if (known !== undefined) return known;
    this.#served.delete(apiVersion);
    const found = (await this.#group(apiVersion)).get(kind);
    if (found === undefined) throw new NoMatchError(apiVersion, kind);
    return found;
  }

  /** True when the API server serves the kind. */
  async exists(apiVersion: string, kind: string): Promise<boolean> {
    try {
      await this.resource(apiVersion, kind);
      return true;
    } catch (error) {
      if (error instanceof NoMatchError) return false;
      throw error;
    }
  }

  /** Whether objects of the kind live in namespaces; undefined when neither cluster nor program says. */
  async isNamespaced(apiVersion: string, kind: string): Promise<boolean | undefined> {
    try {
      return (await this.resource(apiVersion, kind)).namespaced;
    } catch (error) {
      if (!(error instanceof NoMatchError)) throw error;
      return this.#declared.get(`${apiVersion.split("/")[0] ?? ""}/${kind}`);
    }
  }

  /** Remembers the scope of the kind that a definition will serve. */
  declare(crd: JsonObject): void {
    if (!isCrd(crd)) return;
    const kind = textAt(crd, "spec", "names", "kind");
    this.#declared.set(
      `${textAt(crd, "spec", "group")}/${kind}`,
      textAt(crd, "spec", "scope") === "Namespaced",
    );
  }

  /** Forgets what the server serves, after definitions changed. */
  reset(): void {
    this.#served.clear();
  }

  /** Everything served, as helm wants it: `apps/v1` and `apps/v1/Deployment`. */
  async apiVersions(): Promise<string[]> {
    // kubernetes/enhancements 3352: the whole of discovery in one answer.
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const answers = await Promise.all(
      ["/api", "/apis"].map((path) => this.#client.send({ path, accept })),
    );
    return [...new Set(answers.flatMap(servedBy))];
  }

  #group(apiVersion: string): Promise<ReadonlyMap<string, ApiResource>> {
    const known = this.#served.get(apiVersion);
    if (known !== undefined) return known;
    const asked = this.#ask(apiVersion);
    this.#served.set(apiVersion, asked);
    asked.catch(() => this.#served.delete(apiVersion));
    return asked;
  }

  async #ask(apiVersion: string): Promise<ReadonlyMap<string, ApiResource>> {
    try {
      const path = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
      return resourcesOf(await this.#client.send({ path }));
    } catch (error) {
      if (isNotFound(error)) return new Map();
      throw error;
    }
  }
}

function resourcesOf(answer: Json): ReadonlyMap<string, ApiResource> {
  const resources = listAt(answer, "resources").filter(
    (item) => !textAt(item, "name").includes("/"),
  );
  return new Map(
    resources.map((item) => [
      textAt(item, "kind"),
      { plural: textAt(item, "name"), namespaced: (item as JsonObject)["namespaced"] === true },
    ]),
  );
}

function servedBy(answer: Json): string[] {
  return listAt(answer, "items").flatMap((group) => {
    const name = textAt(group, "metadata", "name");
    return listAt(group, "versions").flatMap((version) => {
      const text = textAt(version, "version");
      const apiVersion = name === "" ? text : `${name}/${text}`;
      const kinds = listAt(version, "resources").map((item) =>
        textAt(item, "responseKind", "kind"),
      );
      return [
        apiVersion,
        ...kinds.filter((kind) => kind !== "").map((kind) => `${apiVersion}/${kind}`),
      ];
    });
  });
}
