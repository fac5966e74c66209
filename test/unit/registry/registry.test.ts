import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { basicHeader, readAuthFile } from "../../../registry/credentials.ts";
import { networkFailure, RemoteFailure, statusFailure } from "../../../registry/failure.ts";
import { digestOfBytes, Registry } from "../../../registry/registry.ts";
import type { RegistryOptions } from "../../../registry/registry.ts";
import { withRetry } from "../../../registry/retry.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<{ host: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(
      `${request.method ?? ""} ${request.url ?? ""} ${request.headers.authorization ?? "-"}`,
    );
    handler(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen };
}

const registryAt = (host: string, more: Partial<RegistryOptions> = {}): Registry =>
  new Registry({ host, timeout: 1000, retry: { retries: 2, delay: 1 }, ...more });
const USER = { username: "user", password: "pass:word" };

describe("credentials", () => {
  const auth = Buffer.from("user:pass:word").toString("base64");

  it("come from a file as docker login writes it, by host", () => {
    const of = readAuthFile(
      JSON.stringify({
        auths: {
          "a.test:5000": { auth },
          "https://index.docker.io/v1/": { auth },
          "helper.test": {},
        },
      }),
    );
    expect(of?.("a.test:5000")).toEqual(USER);
    expect(of?.("docker.io")).toEqual(USER);
    expect(of?.("a.test")).toBeUndefined();
    expect(of?.("helper.test")).toBeUndefined();
  });

  it("are none in a file that is no such file", () => {
    expect(readAuthFile("nonsense")).toBeUndefined();
    expect(readAuthFile("{}")?.("a")).toBeUndefined();
  });
});

describe("Registry", () => {
  it("answers a basic challenge once for all, also when requests were on their way", async () => {
    const { host, seen } = await serve((request, response) => {
      const known = request.headers.authorization === basicHeader(USER);
      response
        .writeHead(known ? 404 : 401, known ? {} : { "www-authenticate": 'Basic realm="x"' })
        .end();
    });
    const registry = registryAt(host, { credentials: USER });
    const answers = await Promise.all(["1", "2", "3"].map((tag) => registry.digestOf("a", tag)));
    expect(answers).toEqual([undefined, undefined, undefined]);
    seen.length = 0;
    await registry.digestOf("a", "4");
    expect(seen).toHaveLength(1);
  });

  it("does not repeat credentials that were refused", async () => {
    const { host, seen } = await serve((_request, response) => {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
    });
    const failure: unknown = await registryAt(host, { credentials: USER })
      .digestOf("a", "1")
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "auth" });
    expect(String(failure)).not.toContain("pass:word");
    expect(seen).toHaveLength(2);
  });

  it("keeps credentials to itself when a blob lies at another host", async () => {
    const other = await serve((_request, response) => response.end("content"));
    const { host } = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `http://${other.host}/blob` }).end();
    });
    const answer = await registryAt(host, { credentials: USER }).blob("a", "sha256:0");
    expect(answer.status).toBe(200);
    expect(other.seen).toEqual(["GET /blob -"]);
  });

  it("refuses a manifest that is not what its digest says", async () => {
    const { host } = await serve((_request, response) => response.end("something else"));
    const asked = registryAt(host).manifest("a", digestOfBytes(Buffer.from("something")));
    await expect(asked).rejects.toMatchObject({ kind: "protocol" });
  });

  it("repeats an upload that the server failed, with the content from the start", async () => {
    let puts = 0;
    const bodies: string[] = [];
    const { host } = await serve((request, response) => {
      if (request.method === "POST")
        return response.writeHead(202, { location: "/v2/a/blobs/uploads/1?state=x" }).end();
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        puts += 1;
        bodies.push(`${request.url ?? ""} ${Buffer.concat(parts).toString()}`);
        response.writeHead(puts < 2 ? 500 : 201).end();
      });
    });
    const { Readable } = await import("node:stream");
    const open = () => Readable.from([Buffer.from("content")]);
    const blob = { digest: "sha256:abc", size: 7, open };
    expect(await registryAt(host).putBlob("a", blob)).toBe("sent");
    const line = "/v2/a/blobs/uploads/1?state=x&digest=sha256%3Aabc content";
    expect(bodies).toEqual([line, line]);
  });

  it("asks a registry to link a blob that another repository has", async () => {
    const { host, seen } = await serve((_request, response) => response.writeHead(201).end());
    const blob = { digest: "sha256:abc", size: 7, open: () => expect.unreachable() };
    expect(await registryAt(host).putBlob("a", blob, "b/c")).toBe("mounted");
    expect(seen).toEqual(["POST /v2/a/blobs/uploads/?mount=sha256:abc&from=b%2Fc -"]);
  });
});

describe("failures", () => {
  it.each([
    [401, "auth"],
    [403, "auth"],
    [404, "missing"],
    [429, "server"],
    [500, "server"],
    [400, "protocol"],
  ])("status %d is one of kind %s", (status, kind) => {
    expect(statusFailure(status, "h", "x")?.kind).toBe(kind);
  });

  it.each([200, 206, 307])("status %d is none", (status) => {
    expect(statusFailure(status, "h", "x")).toBeUndefined();
  });

  it.each([
    ["CERT_HAS_EXPIRED", "tls", false],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls", false],
    ["ECONNRESET", "unreachable", true],
    ["ETIMEDOUT", "unreachable", true],
    ["ENOTFOUND", "unreachable", false],
  ])("%s is of kind %s, and passes by itself: %s", (code, kind, transient) => {
    const failure = networkFailure(Object.assign(new Error("x"), { code }), "h");
    expect([failure.kind, failure.transient]).toEqual([kind, transient]);
  });

  it("are repeated with growing waits while they may pass, then thrown", async () => {
    const waits: number[] = [];
    const policy = {
      retries: 3,
      delay: 1,
      onRetry: (_failure: RemoteFailure, wait: number) => waits.push(wait),
    };
    const failing = (kind: "server" | "auth") => () =>
      Promise.reject(new RemoteFailure(kind, "h", "m"));
    await expect(withRetry(policy, failing("server"))).rejects.toThrow("m");
    expect(waits).toEqual([1, 2, 4]);
    await expect(withRetry(policy, failing("auth"))).rejects.toThrow("m");
    expect(waits).toHaveLength(3);
  });
});
