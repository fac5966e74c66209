import * as http from "node:http";
import * as https from "node:https";
import { rootCertificates } from "node:tls";

/** How an address is reached. */
export interface FetchAccess {
  /** Basic credentials; sent to the origin of `address` alone, also after redirects. */
  readonly username?: string;
  readonly password?: string;
  /** Private CA, PEM text, trusted beside the public ones. */
  readonly ca?: string;
  /** Milliseconds for the whole download. */
  readonly timeout: number;
}

/** GitHub answers with one redirect; more than a few are a loop. */
const MAX_REDIRECTS = 5;

/**
 * The text at an http(s) address. Node's `fetch` has no place for a CA, so this asks by itself. Throws with the reason;
 * neither the reason nor anything else names the credentials.
 */
export async function fetchText(address: string, access: FetchAccess): Promise<string> {
  const signal = AbortSignal.timeout(access.timeout);
  const first = new URL(address);
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const own = url.origin === first.origin;
    const { status, location, text } = await ask(url, headers(own ? access : {}), access, signal);
    if (status >= 200 && status < 300) return text;
    if (status < 300 || status >= 400 || location === undefined)
      throw new Error(`HTTP ${String(status)} from ${url.host}`);
    url = new URL(location, url);
  }
  throw new Error(`more than ${String(MAX_REDIRECTS)} redirects from ${first.host}`);
}

function headers({ username, password }: Partial<FetchAccess>): Record<string, string> {
  if (username === undefined || password === undefined) return {};
  const login = Buffer.from(`${username}:${password}`).toString("base64");
  return { authorization: `Basic ${login}` };
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

function ask(
  url: URL,
  sent: Readonly<Record<string, string>>,
  { ca }: FetchAccess,
  signal: AbortSignal,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const open = url.protocol === "http:" ? http.get : https.get;
  const options: https.RequestOptions = {
    headers: sent,
    signal,
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
  };
  const request = open(url, options, (response) => {
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.on("error", reject);
    response.on("end", () => {
      const text = Buffer.concat(parts).toString("utf8");
      resolve({ status: response.statusCode ?? 0, location: response.headers.location, text });
    });
  });
  request.on("error", reject);
  return promise;
}
