import * as https from "node:https";
import { ApiError } from "./error.ts";
import type { IncomingMessage, RequestOptions } from "node:http";
import type { Credentials } from "./kubeconfig.ts";
import type { Json } from "../value.ts";

/** One request. */
export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** @default application/json */
  readonly contentType?: string;
  readonly accept?: string;
}

/** A connection to one API server. */
export interface ApiClient {
  readonly server: string;
  /** Sends a request and gives the decoded answer; throws an {@link ApiError} on any other status than 2xx. */
  send(request: ApiRequest): Promise<Json>;
  close(): void;
}

/** Two cores serve everything here: more connections at once only queue in the API server. */
const MAX_SOCKETS = 16;
const TIMEOUT_MS = 60_000;

/** Makes a client that keeps its connections. */
export function apiClient(credentials: Credentials): ApiClient {
  const secure = credentials.server.startsWith("https:");
  const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
  // Never imported: `import` reads every export of node:http, one of which loads undici, 30 ms in every run.
  const http = secure ? https : process.getBuiltinModule("node:http");
  const agent = new http.Agent({ ...options, ...(secure ? credentials.tls : {}) });
  const send = async (request: ApiRequest): Promise<Json> => {
    const url = new URL(request.path, credentials.server);
    for (const [key, value] of Object.entries(request.query ?? {}))
      url.searchParams.set(key, value);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers = headersOf(request, body, credentials.token);
    const call: RequestOptions = {
      agent,
      headers,
      method: request.method ?? "GET",
      timeout: TIMEOUT_MS,
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = http.request(url, call, resolve);
    outgoing.on("error", reject);
    outgoing.on("timeout", () =>
      outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)),
    );
    outgoing.end(body);
    return decode(await promise);
  };
  return { server: credentials.server, send, close: () => agent.destroy() };
}

function headersOf(
  request: ApiRequest,
  body: string | undefined,
  token: string | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { accept: request.accept ?? "application/json" };
  if (body !== undefined) {
    headers["content-type"] = request.contentType ?? "application/json";
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  return headers;
}

async function decode(response: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const status = response.statusCode ?? 0;
  const body = parse(text);
  if (status < 200 || status > 299) throw new ApiError(status, body);
  return body;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return { message: text };
  }
}
