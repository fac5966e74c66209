import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a proxy does to a request instead of passing it on. */
export type Fault =
  | { readonly kind: "status"; readonly status: number }
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: "cut"; readonly after: number }
  /** Other bytes than the registry's. */
  | { readonly kind: "garble" }
  /** The body comes this many milliseconds late. */
  | { readonly kind: "slow"; readonly delay: number };

/** A registry with faults: a proxy in front of a real one. */
export interface FlakyProxy {
  readonly host: string;
  /** `GET /v2/…` in the order in which they came, with `range` where it was asked for. */
  readonly requests: string[];
  /** Decides for each request; `undefined` passes it on. */
  fault: (method: string, path: string, count: number) => Fault | undefined;
  /** Forgets faults, counts and requests. */
  reset(): void;
  stop(): void;
}

/** Starts a proxy on loopback; `count` in `fault` is how often that method and path have been asked for before. */
export async function startProxy(upstream: string): Promise<FlakyProxy> {
  const counts = new Map<string, number>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    const key = `${method} ${url}`;
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    requests.push([key, request.headers.range ?? ""].join(" ").trim());
    const fault = proxy.fault(method, url, count);
    if (fault?.kind === "status") response.writeHead(fault.status).end("a fault made for a test");
    else pass(upstream, { request, response, fault });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: FlakyProxy = {
    host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    requests,
    fault: () => undefined,
    reset: () => {
      proxy.fault = () => undefined;
      requests.length = 0;
      counts.clear();
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: Fault | undefined;
}

function pass(upstream: string, { request, response, fault }: Exchange): void {
  const [hostname, port] = upstream.split(":");
  const { method, url: path, headers } = request;
  const onward = httpRequest({ hostname, port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    const parts: Buffer[] = [];
    answer.on("data", (part: Buffer) => parts.push(part));
    answer.on("end", () => send(Buffer.concat(parts), response, fault));
  });
  request.pipe(onward);
}

function send(body: Buffer, response: ServerResponse, fault: Fault | undefined): void {
  if (fault?.kind === "garble") response.end(body.map((byte) => byte ^ 1));
  else if (fault?.kind === "slow") setTimeout(() => response.end(body), fault.delay);
  else if (fault?.kind === "cut" && body.length > fault.after) {
    response.write(body.subarray(0, fault.after));
    setTimeout(() => response.destroy(), 50);
  } else response.end(body);
}
