import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A request that was on its way out. */
export interface RefusedRequest {
  /** Host with port, as it was asked for. */
  readonly host: string;
  /** What the client calls itself; empty when it does not say. */
  readonly agent: string;
}

/** A proxy that lets nothing through and remembers who wanted to go where. */
export interface RefusingProxy {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly refused: readonly RefusedRequest[];
  stop(): Promise<void>;
}

const ANSWER = "Refused: the sandbox's air gap has no way out.\n";
const REFUSAL = `HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: ${String(ANSWER.length)}\r\n\r\n${ANSWER}`;

/** Starts the proxy on loopback. Refusing at once, and not by silence, keeps clients from waiting. */
export async function startRefusingProxy(): Promise<RefusingProxy> {
  const refused: RefusedRequest[] = [];
  const note = (request: IncomingMessage, host: string): void => {
    refused.push({ host, agent: request.headers["user-agent"] ?? "" });
  };
  const server = createServer((request, response) => {
    note(request, hostOf(request));
    response.writeHead(403, { connection: "close" }).end(ANSWER);
  });
  server.on("connect", (request: IncomingMessage, socket: Socket) => {
    note(request, request.url ?? "");
    socket.on("error", () => undefined);
    socket.end(REFUSAL);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}`, refused, stop: () => stop(server) };
}

/**
 * The environment that sends everything but loopback to a proxy: Go and curl read these names in both spellings, Node
 * only when it is told to.
 */
export function proxyEnvironment(url: string): Record<string, string> {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
  const direct = "127.0.0.1,localhost";
  const entries = [...names.map((name) => [name, url] as const), ["NO_PROXY", direct] as const];
  const both = entries.flatMap(([name, value]) => [
    [name, value] as const,
    [name.toLowerCase(), value] as const,
  ]);
  return { ...Object.fromEntries(both), NODE_USE_ENV_PROXY: "1" };
}

function hostOf({ url = "", headers }: IncomingMessage): string {
  return URL.canParse(url) ? new URL(url).host : (headers.host ?? url);
}

async function stop(server: ReturnType<typeof createServer>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}
