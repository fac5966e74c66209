import { X509Certificate } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageStore } from "../../bundle/store.ts";
import { parseStackFile } from "../../config/stack-file.ts";
import { HttpClient, readBody } from "../../registry/http.ts";
import { proxyEnvironment, startRefusingProxy } from "../../sandbox/airgap/refusing-proxy.ts";
import { airgapConfig, airgapStackText } from "../../sandbox/airgap/stack.ts";
import { putStandIn } from "../../sandbox/airgap/stand-in-images.ts";
import { traceRows } from "../../sandbox/airgap/trace.ts";
import { logEnd, parseAccessLine, readAccessLog } from "../../sandbox/registry/access-log.ts";
import { makeCertificates } from "../../sandbox/registry/certificates.ts";
import type { Certificates } from "../../sandbox/registry/certificates.ts";
import type { SandboxRegistry } from "../../sandbox/registry/server.ts";
import { runProgram } from "../../sandbox/session/pulumi.ts";

let folder: string;
let certificates: Certificates;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "airgap-parts-"));
  certificates = await makeCertificates(join(folder, "tls"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("certificates", () => {
  it("say what they are for", async () => {
    const ca = new X509Certificate(await readFile(certificates.ca));
    const leaf = new X509Certificate(await readFile(certificates.certificate));
    expect(ca.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(leaf.checkIP("127.0.0.2")).toBeUndefined();
    expect(leaf.checkHost("localhost")).toBe("localhost");
    expect(leaf.validToDate.getUTCFullYear()).toBe(2049);
  });

  it("are taken by who knows the CA, and by nobody else", async () => {
    const [cert, key] = [
      await readFile(certificates.certificate),
      await readFile(certificates.key),
    ];
    const server = createServer({ cert, key }, (_request, response) => response.end("inside"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = new URL(`https://127.0.0.1:${String((server.address() as AddressInfo).port)}/`);
    const other = await makeCertificates(join(folder, "other"));
    const ask = async (ca: string): Promise<string> => {
      const client = new HttpClient({ ca: await readFile(ca, "utf8"), timeout: 5000 });
      const answer = client.send(url, { method: "GET" }).then(readBody);
      return answer.then(String).finally(() => client.close());
    };
    expect(await ask(certificates.ca)).toBe("inside");
    await expect(ask(other.ca)).rejects.toMatchObject({ kind: "tls" });
    server.close();
  });
});

describe("the registry's log", () => {
  const word = fc.stringMatching(/^[\w./:@?=&%-]{1,40}$/);
  const agent = fc.stringMatching(/^[\w./() -]{0,40}$/);

  it("is read back, request by request", () => {
    const request = fc.record({
      method: fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE"),
      path: word.map((path) => `/v2/${path}`),
      status: fc.integer({ min: 100, max: 599 }),
      agent,
    });
    fc.assert(
      fc.property(request, (entry) => {
        const { method, path, status } = entry;
        const line = `127.0.0.1 - - [21/Nov/2026:16:59:18 +0000] "${method} ${path} HTTP/1.1" ${String(status)} 0 "" "${entry.agent}"`;
        expect(parseAccessLine(line)).toEqual(entry);
      }),
    );
  });

  it("is more than requests", () => {
    expect(parseAccessLine('time="2026-11-21T16:59:18Z" level=error msg="GET / failed"')).toBe(
      undefined,
    );
  });

  it("is read from a place on", async () => {
    const file = join(folder, "access.log");
    const line = (path: string) => `x "GET ${path} HTTP/2.0" 200 1 "" "Helm/3.19.0"\n`;
    expect(await readAccessLog(file)).toEqual([]);
    await appendFile(file, line("/v2/before"));
    const from = await logEnd(file);
    await appendFile(file, line("/v2/after"));
    expect((await readAccessLog(file, from)).map(({ path }) => path)).toEqual(["/v2/after"]);
  });
});

describe("the way out", () => {
  it("is refused and remembered, loopback is left alone", async () => {
    const proxy = await startRefusingProxy();
    const client = join(folder, "client.mjs");
    await appendFile(
      client,
      `const status = (url) => fetch(url).then((answer) => answer.status, () => "refused");
       console.log(await status("https://a.example/v2/"), await status("http://b.example:81/x"),
         await status(process.argv[2]));`,
    );
    const inside = createServer();
    await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
    const { port } = inside.address() as AddressInfo;
    const env = { ...process.env, ...proxyEnvironment(proxy.url) };
    const args = [client, `https://127.0.0.1:${String(port)}/`];
    const { output } = await runProgram(process.execPath, args, { cwd: folder, env });
    inside.close();
    await proxy.stop();
    expect(output).toMatch(/^refused (?:403|refused) refused$/m);
    expect(proxy.refused.map(({ host }) => host)).toEqual(["a.example:443", "b.example:81"]);
  });

  it("is summed up by client and host, refused requests last", () => {
    const answered = [{ agent: "Helm/3.19.0 (x)" }, { agent: "Helm/3.19.0" }, { agent: "" }];
    const refused = [{ agent: "curl/8", host: "docker.io:443" }];
    expect(traceRows("127.0.0.1:1", answered, refused)).toEqual([
      { by: "Helm/3.19.0", to: "127.0.0.1:1", requests: 2, answer: "answered" },
      { by: "unnamed", to: "127.0.0.1:1", requests: 1, answer: "answered" },
      { by: "curl/8", to: "docker.io:443", requests: 1, answer: "refused" },
    ]);
  });
});

describe("the stack inside", () => {
  const registry = (): SandboxRegistry => ({
    host: "127.0.0.1:21000",
    certificates,
    ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    layout: { folder: "", logFile: "", pidFile: "", portFile: "", lockFile: "" },
  });
  const bind = (text: string, more: object = {}) =>
    airgapConfig(text, { registry: registry(), manifests: "/m", ...more });
  const pin = "gcr.io/a/b:1";

  it("is one without mistakes, whatever stack it was made from", async () => {
    for (const name of ["airgap", "sandbox", "online"]) {
      const text = await readFile(join(import.meta.dirname, `../../Pulumi.${name}.yaml`), "utf8");
      const bound = airgapStackText(text, bind(text, { mode: "RawDeployment" }));
      const { settings, problems } = parseStackFile(Buffer.from(bound), name);
      expect(problems).toEqual([]);
      expect(settings).toMatchObject({
        mode: "RawDeployment",
        registry: { host: "127.0.0.1:21000" },
        charts: { source: "oci", url: "oci://127.0.0.1:21000/charts", manifests: "/m" },
      });
    }
  });

  it("keeps layout, namespaces and exceptions, and puts its own exceptions first", () => {
    const text = `config:
  kserve:registry:
    host: harbor.test
    plainHttp: true
    layout: single-project
    project: mirror
    namespaces: [team-a]
    images: { gcr.io/a/b: harbor.test/x/b }`;
    const found = bind(text, { images: { [pin]: "127.0.0.1:21000/b:1" } })["registry"] as object;
    expect(found).toMatchObject({
      host: "127.0.0.1:21000",
      layout: "single-project",
      project: "mirror",
      namespaces: ["team-a"],
    });
    expect(found).not.toHaveProperty("plainHttp");
    expect(Object.keys((found as { images: object }).images)).toEqual([pin, "gcr.io/a/b"]);
  });

  it("cannot have proxy-cache projects, which nobody can fill here", () => {
    const text = "config: { kserve:registry: { layout: proxy-cache } }";
    expect(() => bind(text)).toThrow(/sandbox-airgap-layout[^]*project-per-host/);
  });
});

describe("stand-ins of images", () => {
  it("are known again by their digest, each upstream image by its own", async () => {
    const store = new ImageStore(join(folder, "store"));
    const name = fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}:[0-9]{1,3}$/);
    await fc.assert(
      fc.asyncProperty(name, name, async (one, two) => {
        const [first, again] = [await putStandIn(store, one), await putStandIn(store, one)];
        expect(again.digest).toBe(first.digest);
        expect((await putStandIn(store, two)).digest === first.digest).toBe(one === two);
      }),
      { numRuns: 25 },
    );
  });
});
