import { Agent as PlainAgent, request as plainRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { getCACertificates } from "node:tls";
import { networkFailure, RemoteFailure } from "./failure.ts";

/** How connections are made. */
export interface HttpOptions {
  /** PEM text of a CA that is trusted besides those of the system. */
  readonly ca?: string | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly timeout: number;
  /** Environment with HTTPS_PROXY and its kin; absent: no proxy. Node 24.5 and newer know them. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One request. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | Readable;
}

/** An answer whose body has not been read yet. Whoever gets it reads or drops the body. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
  /** Address that answered, after redirects. */
  readonly url: URL;
}

const MAX_REDIRECTS = 5;
/** Node's default agent keeps no limit; registries throttle eager clients. */
const SOCKETS_PER_HOST = 8;

/**
 * HTTP with what fetch does not offer: a CA of one's own, and streams with a stall timeout. Follows redirects of GET and
 * HEAD, without credentials as soon as the host changes: blobs often live at a content network.
 */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #plain: PlainAgent;
  readonly #tls: TlsAgent;

  constructor(options: HttpOptions) {
    this.#options = options;
    const { ca, proxyEnv } = options;
    const agent = {
      keepAlive: true,
      maxSockets: SOCKETS_PER_HOST,
      ...(proxyEnv === undefined ? {} : { proxyEnv: { ...proxyEnv } }),
    };
    this.#plain = new PlainAgent(agent);
    const trusted = ca === undefined ? {} : { ca: [...getCACertificates("default"), ca] };
    this.#tls = new TlsAgent({ ...agent, ...trusted });
  }

  /** Sends a request. Throws a {@link RemoteFailure} when no answer comes; any status is an answer. */
  async send(url: URL, request: HttpRequest): Promise<HttpAnswer> {
    let target = url;
    let headers = request.headers ?? {};
    for (let hop = 0; ; hop += 1) {
      const answer = await this.#once(target, { ...request, headers });
      const next = redirect(answer, request.method);
      if (next === undefined) return answer;
      drop(answer);
      if (hop >= MAX_REDIRECTS || (target.protocol === "https:" && next.protocol !== "https:"))
        throw new RemoteFailure("protocol", url.host, `${url.host} redirects to ${next.host}`);
      if (next.host !== target.host) headers = withoutCredentials(headers);
      target = next;
    }
  }

  /** Ends idle connections, so that the process can end. */
  close(): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  async #once(url: URL, request: HttpRequest): Promise<HttpAnswer> {
    const { timeout, signal } = this.#options;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const secure = url.protocol === "https:";
    const options = {
      method: request.method,
      headers: { "user-agent": "kserve-platform", ...request.headers },
      ...(signal === undefined ? {} : { signal }),
    };
    const message = secure
      ? tlsRequest(url, { ...options, agent: this.#tls })
      : plainRequest(url, { ...options, agent: this.#plain });
    message.setTimeout(timeout, () =>
      message.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })),
    );
    message.once("response", resolve);
    message.on("error", reject);
    const { body } = request;
    if (body === undefined || Buffer.isBuffer(body)) message.end(body);
    else pipeline(body, message).catch(reject);
    const answer = await promise.catch((error: unknown) => {
      signal?.throwIfAborted();
      throw networkFailure(error, url.host);
    });
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: answer, url };
  }
}

/** The whole body. `limit` in bytes guards against servers that send something else than what was asked for. */
export async function readBody(answer: HttpAnswer, limit = 64 * 1024 * 1024): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of answer.body as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > limit)
        throw new RemoteFailure("protocol", answer.url.host, "the answer is too long");
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof RemoteFailure) throw error;
    throw networkFailure(error, answer.url.host);
  }
  return Buffer.concat(parts);
}

/** Lets go of a body that nobody reads, so that its connection can be used again. */
export function drop(answer: HttpAnswer): void {
  answer.body.on("error", () => undefined).resume();
}

function redirect(answer: HttpAnswer, method: string): URL | undefined {
  const { location } = answer.headers;
  if (location === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
  if (![301, 302, 303, 307, 308].includes(answer.status)) return undefined;
  return URL.canParse(location, answer.url.href) ? new URL(location, answer.url) : undefined;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { authorization: _authorization, ...rest } = headers;
  return rest;
}
