import * as http from "node:http";
import * as https from "node:https";
import { rootCertificates } from "node:tls";

/** Time for one answer, in milliseconds. */
const TIMEOUT = 30_000;
/** Longest part of a refusal that is shown, in characters. */
const MAX_REASON = 200;

/** One request to Harbor's API. */
export interface Call {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  /** Below `/api/v2.0`, query included. */
  readonly path: string;
  readonly body?: unknown;
}

/** What Harbor said. */
export interface Answer {
  readonly status: number;
  /** The JSON of the answer; `undefined` for an empty one. */
  readonly body: unknown;
}

/** Sends calls. */
export type Send = (call: Call) => Promise<Answer>;

/** A call that ended in something else than what it was made for; the message names call and answer, no secret. */
export class HarborError extends Error {}

/** How to reach Harbor. */
export interface HarborAccess {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Private CA, PEM text, trusted beside the public ones. */
  readonly ca?: string;
}

/** A sender for Harbor's API v2.0 (goharbor/harbor@main:api/v2.0/swagger.yaml), with basic authentication. */
export function harborClient(access: HarborAccess): Send {
  return async (call) => {
    const { status, text } = await request(access, call);
    if (status === 401 || status === 403)
      throw new HarborError(
        `${describe(call)}: Harbor answered ${String(status)}; HARBOR_USERNAME has to be an administrator with this password`,
      );
    return { status, body: parse(text, call, status) };
  };
}

/** Throws unless the answer has one of the expected codes. */
export function expectStatus(call: Call, answer: Answer, ...expected: readonly number[]): Answer {
  if (expected.includes(answer.status)) return answer;
  const reason = JSON.stringify(answer.body) ?? "";
  throw new HarborError(
    `${describe(call)}: Harbor answered ${String(answer.status)} ${reason.slice(0, MAX_REASON)}`.trimEnd(),
  );
}

/** `POST /projects`, for people. */
export function describe({ method, path }: Call): string {
  return `${method} /api/v2.0${path}`;
}

function request(
  access: HarborAccess,
  call: Call,
): Promise<{ readonly status: number; readonly text: string }> {
  const url = new URL(`${access.url}/api/v2.0${call.path}`);
  const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
  const credentials = Buffer.from(`${access.username}:${access.password}`).toString("base64");
  const options: https.RequestOptions = {
    method: call.method,
    headers: {
      accept: "application/json",
      authorization: `Basic ${credentials}`,
      ...(payload === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(access.ca === undefined ? {} : { ca: [...rootCertificates, access.ca] }),
    signal: AbortSignal.timeout(TIMEOUT),
  };
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const open = url.protocol === "http:" ? http.request : https.request;
  const outgoing = open(url, options, (response) => {
    const parts: string[] = [];
    response.setEncoding("utf8").on("data", (part: string) => parts.push(part));
    response.on("end", () => {
      resolve({ status: response.statusCode ?? 0, text: parts.join("") });
    });
    response.on("error", fail);
  });
  function fail(error: Error): void {
    reject(new HarborError(`${describe(call)}: ${networkReason(error, url.host)}`));
  }
  outgoing.on("error", fail);
  outgoing.end(payload);
  return promise;
}

function networkReason(error: Error & { code?: string }, host: string): string {
  if (error.name === "AbortError" || error.name === "TimeoutError")
    return `no answer from ${host} in time`;
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_/.test(error.code ?? "");
  return untrusted
    ? `the certificate of ${host} is not trusted (${error.code ?? ""}); set kserve:registry.ca`
    : `${host}: ${error.code ?? error.message}`;
}

function parse(text: string, call: Call, status: number): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new HarborError(
      `${describe(call)}: an answer (${String(status)}) that is no JSON; is kserve:harbor.url Harbor's?`,
    );
  }
}
