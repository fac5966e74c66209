import type { Credentials } from "./credentials.ts";
import { basicHeader } from "./credentials.ts";
import { RemoteFailure } from "./failure.ts";
import { drop, readBody } from "./http.ts";
import type { HttpAnswer, HttpClient } from "./http.ts";

/** What one wants to do with a repository, in the words of the token specification. */
export type Action = "pull" | "pull,push";

/** A request that was answered with 401. */
interface Refused {
  readonly repository: string;
  readonly action: Action;
  /** Header that it carried. */
  readonly used: string | undefined;
}

const MAX_TOKEN_BYTES = 256 * 1024;

/**
 * Answers a registry's challenges (distribution specification, token authentication; RFC 7617): a bearer token for
 * each repository and action, or basic authentication. Credentials go to the registry and to the token service that
 * it names, over TLS unless the registry itself is spoken to without.
 */
export class Authorizer {
  readonly #client: HttpClient;
  readonly #credentials: Credentials | undefined;
  readonly #headers = new Map<string, string>();

  constructor(client: HttpClient, credentials: Credentials | undefined) {
    this.#client = client;
    this.#credentials = credentials;
  }

  /** Header for a repository and action that were granted before. */
  header(repository: string, action: Action): string | undefined {
    return this.#headers.get(`${repository} ${action}`) ?? this.#headers.get("*");
  }

  /** True when the challenge could be answered, so that the request is worth repeating. */
  async answer(challenge: HttpAnswer, refused: Refused): Promise<boolean> {
    const { repository, action, used } = refused;
    // Somebody else has answered while this request was on its way.
    if (this.header(repository, action) !== used) return true;
    const header = challenge.headers["www-authenticate"] ?? "";
    if (/^basic\b/i.test(header)) return this.#answerBasic(challenge.url.host, used);
    const token = await this.#token(header, { repository, action, from: challenge.url });
    if (token === undefined) return false;
    this.#headers.set(`${repository} ${action}`, `Bearer ${token}`);
    return true;
  }

  #answerBasic(host: string, used: string | undefined): boolean {
    if (this.#credentials === undefined)
      throw new RemoteFailure(
        "auth",
        host,
        `${host} answered 401: it wants credentials, none are given`,
        { status: 401 },
      );
    // A second challenge after the same answer is a refusal.
    if (used !== undefined) return false;
    this.#headers.set("*", basicHeader(this.#credentials));
    return true;
  }

  async #token(
    header: string,
    wanted: { readonly repository: string; readonly action: Action; readonly from: URL },
  ): Promise<string | undefined> {
    const { realm, service, scope } = challengeOf(header);
    if (realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    if (url.protocol !== "https:" && wanted.from.protocol === "https:") return undefined;
    if (service !== undefined) url.searchParams.set("service", service);
    url.searchParams.set("scope", scope ?? `repository:${wanted.repository}:${wanted.action}`);
    const answer = await this.#client.send(url, { method: "GET", headers: this.#identity() });
    if (answer.status !== 200) {
      drop(answer);
      return undefined;
    }
    return tokenIn(await readBody(answer, MAX_TOKEN_BYTES));
  }

  #identity(): Record<string, string> {
    return this.#credentials === undefined ? {} : { authorization: basicHeader(this.#credentials) };
  }
}

function tokenIn(body: Buffer): string | undefined {
  try {
    const { token, access_token: old } = JSON.parse(body.toString("utf8")) as {
      token?: unknown;
      access_token?: unknown;
    };
    const found = token ?? old;
    return typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}

function challengeOf(header: string): Partial<Record<"realm" | "service" | "scope", string>> {
  if (!/^bearer /i.test(header)) return {};
  const pairs = header.matchAll(/(\w+)="([^"]*)"/g);
  return Object.fromEntries(
    [...pairs].map(([, key = "", value = ""]) => [key.toLowerCase(), value]),
  );
}
