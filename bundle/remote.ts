import type { ImageReference } from "../images/reference.ts";
import type { CredentialsOf } from "../registry/credentials.ts";
import { basicHeader } from "../registry/credentials.ts";
import { statusFailure } from "../registry/failure.ts";
import { drop, HttpClient, readBody } from "../registry/http.ts";
import type { HttpAnswer, HttpOptions } from "../registry/http.ts";
import { Registry } from "../registry/registry.ts";
import { withRetry } from "../registry/retry.ts";
import type { RetryPolicy } from "../registry/retry.ts";

/** How the outside is reached. */
export interface RemoteOptions extends HttpOptions {
  /** `host[:port][/project]` of a registry that holds or proxies every upstream registry under its host name. */
  readonly via?: string | undefined;
  /** Hosts that speak plain HTTP. */
  readonly plainHttp?: readonly string[] | undefined;
  readonly credentials: CredentialsOf;
  readonly retry: RetryPolicy;
}

/** A repository at a registry. */
export interface Located {
  readonly registry: Registry;
  readonly repository: string;
}

/** Everything outside the bundle: registries and file servers, one client for each host. */
export class Remote {
  readonly retry: RetryPolicy;
  readonly #options: RemoteOptions;
  readonly #http: HttpClient;
  readonly #registries = new Map<string, Registry>();

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.retry = { signal: options.signal, ...options.retry };
    this.#http = new HttpClient(options);
  }

  /** Where the repository of an upstream reference is asked for. */
  locate({ host, repository }: Pick<ImageReference, "host" | "repository">): Located {
    const { via } = this.#options;
    if (via === undefined) return { registry: this.registry(host), repository };
    const [viaHost = "", ...project] = via.split("/");
    const path = [...project, host.replace(":", "-"), repository].join("/");
    return { registry: this.registry(viaHost), repository: path };
  }

  /** The client of one registry. */
  registry(host: string): Registry {
    const known = this.#registries.get(host);
    if (known !== undefined) return known;
    const { credentials, plainHttp = [], ...options } = this.#options;
    const registry = new Registry({
      ...options,
      host,
      credentials: credentials(host),
      plainHttp: plainHttp.includes(host),
    });
    this.#registries.set(host, registry);
    return registry;
  }

  /** A file of a web server from byte `from` on, as a stream; not repeated. Throws for a status that says no. */
  async open(address: string, from = 0): Promise<HttpAnswer> {
    const url = new URL(address);
    const credentials = url.protocol === "https:" ? this.#options.credentials(url.host) : undefined;
    const headers = {
      ...(credentials === undefined ? {} : { authorization: basicHeader(credentials) }),
      ...(from === 0 ? {} : { range: `bytes=${String(from)}-` }),
    };
    const answer = await this.#http.send(url, { method: "GET", headers });
    const what = `GET ${url.pathname}`;
    const failure = statusFailure(answer.status, url.host, what, answer.headers["retry-after"]);
    if (failure === undefined) return answer;
    drop(answer);
    throw failure;
  }

  /** A file of a web server, whole; for indexes and checksums. */
  async text(address: string): Promise<string> {
    return withRetry(this.retry, async () => {
      const body = await readBody(await this.open(address));
      return body.toString("utf8");
    });
  }

  /** Ends idle connections. */
  close(): void {
    this.#http.close();
    for (const registry of this.#registries.values()) registry.close();
  }
}
