import { createServer as createPlain } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../config/secret.ts";
import { StackError } from "../../problems/run-error.ts";
import { loadManifests } from "../../program/load-manifests.ts";
import { makeCertificates } from "../../sandbox/registry/certificates.ts";
import { planOf } from "../support/settings.ts";

const PASSWORD = "manifest-password";
const LOGIN = `Basic ${Buffer.from(`robot:${PASSWORD}`).toString("base64")}`;
const seen: { host: string; authorization: string | undefined }[] = [];
let folder: string;
let ca: string;
let servers: Server[];
let secure: string;
let plain: string;

/** Wants the login, except below `/open`; `/away` leads to the plain server, `/loop` to itself. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "";
  const { authorization, host = "" } = request.headers;
  seen.push({ host, authorization });
  if (url.startsWith("/away")) response.writeHead(302, { location: `${plain}/open/file` }).end();
  else if (url.startsWith("/loop")) response.writeHead(302, { location: url }).end();
  else if (url.startsWith("/open") || authorization === LOGIN) response.end("kind: X\n");
  else response.writeHead(401).end();
}

const addressOf = (server: Server, scheme: string): string =>
  `${scheme}://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "manifests-"));
  const files = await makeCertificates(folder);
  ca = files.ca;
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)]);
  servers = [createServer({ cert, key }, answer), createPlain(answer)];
  await Promise.all(
    servers.map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))),
  );
  const [first, second] = servers;
  if (first === undefined || second === undefined) throw new Error("no servers");
  secure = addressOf(first, "https");
  plain = addressOf(second, "http");
});
beforeEach(() => {
  seen.length = 0;
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});

/** Texts of the files of a stack with that chart source. */
async function load(charts: Record<string, unknown>): Promise<string[]> {
  const all = { source: "http", username: "robot", password: new Secret(PASSWORD), ...charts };
  return [...(await loadManifests(planOf({ charts: all }))).values()];
}

describe("CRD files by address", () => {
  it("come from beside the charts, with their login and their CA", async () => {
    expect(await load({ url: `${secure}/charts`, caFile: ca })).toEqual(["kind: X\n"]);
  });

  it("come from another host with the CA, and without the login", async () => {
    const url = "https://charts.test/";
    expect(await load({ url, manifests: `${secure}/open`, caFile: ca })).toEqual(["kind: X\n"]);
    expect(seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it("lose the login where a redirect leads to another host", async () => {
    expect(await load({ url: `${secure}/away`, caFile: ca })).toEqual(["kind: X\n"]);
    expect(seen.map(({ authorization }) => authorization)).toEqual([LOGIN, undefined]);
  });

  it.each([
    ["a CA that nobody knows", () => ({ url: `${secure}/charts` }), /self-signed|unable to/],
    [
      "a wrong password",
      () => ({ url: `${plain}/charts`, password: new Secret("other-password") }),
      /HTTP 401/,
    ],
    ["a loop", () => ({ url: `${plain}/loop` }), /more than 5 redirects/],
    ["a CA file that is not there", () => ({ url: `${secure}/x`, caFile: "/no/ca" }), /ENOENT/],
  ])("end the run with %s, and show no password", async (_name, charts, reason) => {
    const failure = load(charts());
    await expect(failure).rejects.toThrow(StackError);
    await expect(failure).rejects.toThrow(reason);
    await expect(failure).rejects.not.toThrow(/password/);
  });
});
