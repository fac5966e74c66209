import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RegistryClient } from "../../cli/registry-client.ts";

const DIGEST = `sha256:${"d".repeat(64)}`;
const seen: string[] = [];
let server: Server;
let host: string;

/** A registry that wants a token, and has images whose names say how they answer. */
function answer(request: IncomingMessage): [number, Record<string, string>, string] {
  const url = request.url ?? "";
  seen.push(`${request.method ?? ""} ${url}`);
  if (url.startsWith("/token")) return [200, {}, JSON.stringify({ token: "anonymous" })];
  if (url.includes("/no-token/")) return [401, { "www-authenticate": 'Basic realm="x"' }, ""];
  if (request.headers.authorization !== "Bearer anonymous")
    return [401, { "www-authenticate": `Bearer realm="http://${host}/token",service="s"` }, ""];
  if (url.includes("/missing/")) return [404, {}, ""];
  if (url.includes("/silent-header/")) return [200, {}, request.method === "GET" ? "hello" : ""];
  return [200, { "docker-content-digest": DIGEST }, ""];
}

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url?.includes("/hangs/")) return;
    const [status, headers, body] = answer(request);
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});
beforeEach(() => {
  seen.length = 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe("RegistryClient", () => {
  it("fetches an anonymous token and reads the digest of a tag", async () => {
    const client = new RegistryClient(2000);
    expect(await client.digest(`${host}/a/b:1`)).toEqual({ digest: DIGEST });
    expect(seen).toEqual([
      "HEAD /v2/a/b/manifests/1",
      "GET /token?service=s&scope=repository%3Aa%2Fb%3Apull",
      "HEAD /v2/a/b/manifests/1",
    ]);
  });

  it("computes the digest where the registry does not name it", async () => {
    const found = await new RegistryClient(2000).digest(`${host}/silent-header/b:1`);
    expect(found).toEqual({
      digest: "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    });
  });

  it.each([
    ["missing/b:1", /answered 404/],
    ["no-token/b:1", /answered 401/],
  ])("says why it has no digest of %s", async (image, reason) => {
    const found = await new RegistryClient(2000).digest(`${host}/${image}`);
    expect(found).toEqual({ reason: expect.stringMatching(reason) as string });
  });

  it("asks a host that is silent only once", async () => {
    const client = new RegistryClient(100);
    expect(await client.digest(`${host}/hangs/b:1`)).toEqual({
      reason: `${host} cannot be reached (no answer in time)`,
    });
    const answers = await client.digests([`${host}/a/b:1`, `${host}/a/c:1`]);
    expect([...answers.values()].every((found) => "reason" in found)).toBe(true);
    expect(seen).toEqual([]);
  });
});
