import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  downloadRelease,
  reachableReleases,
  readChecksum,
} from "../../sandbox/toolchain/download.ts";
import type { AddressInfo } from "node:net";
import type { Release } from "../../sandbox/toolchain/releases.ts";

const PROGRAM = "#!/bin/sh\necho v3.19.0\n";
const DIGEST = sha256(PROGRAM);
const answers = new Map<string, Buffer | string>();
let requests: string[] = [];
let base = "";
let folder = "";

const server = createServer((request, response) => {
  requests.push(request.url ?? "");
  const answer = answers.get(request.url ?? "");
  if (answer === "hang") return;
  response.writeHead(answer === undefined ? 404 : 200).end(answer);
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "download-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  answers.clear();
  requests = [];
});

function release(change: Partial<Release> = {}): Release {
  return {
    url: `${base}/helm`,
    file: "helm",
    checksumUrl: `${base}/helm.sha256`,
    checksumForm: "sums",
    archive: "none",
    folder: "",
    ...change,
  };
}

describe("a published checksum", () => {
  it("is read from a file that holds nothing else", () => {
    expect(readChecksum(`${DIGEST}\n`, release())).toBe(DIGEST);
    expect(readChecksum(DIGEST.toUpperCase(), release())).toBe(DIGEST);
  });

  it("is read from the line of the file, not from another one", () => {
    const text = `${sha256("other")}  other\n${DIGEST} *helm\n`;
    expect(readChecksum(text, release())).toBe(DIGEST);
    expect(readChecksum(`${DIGEST}  other\n`, release())).toBeUndefined();
  });

  it("is read from GitHub's description of a release", () => {
    const text = JSON.stringify({ assets: [{ name: "helm", digest: `sha256:${DIGEST}` }] });
    expect(readChecksum(text, release({ checksumForm: "github-release" }))).toBe(DIGEST);
  });

  it.each(["", "<html>sign in</html>", '{"assets":[{"name":"helm","digest":null}]}'])(
    "is not made up from %j",
    (text) => {
      expect(readChecksum(text, release())).toBeUndefined();
      expect(readChecksum(text, release({ checksumForm: "github-release" }))).toBeUndefined();
    },
  );
});

describe("hosts out of reach", () => {
  it("are left out without an error, and one address is asked once", async () => {
    answers.set("/SHA256SUMS", `${DIGEST}  helm\n${DIGEST}  etcd\n`);
    const sums = { checksumUrl: `${base}/SHA256SUMS` };
    const found = await reachableReleases(
      new Map([
        ["helm", release(sums)],
        ["etcd", release({ ...sums, file: "etcd" })],
        ["kwok", release({ checksumUrl: `${base}/missing` })],
        ["pulumi", release({ checksumUrl: "http://127.0.0.1:1/refused" })],
        ["kwokctl", release({ checksumUrl: "http://no-such-host.invalid/x" })],
      ]),
    );
    expect(found.map(({ name }) => name)).toEqual(["helm", "etcd"]);
    expect(requests.sort()).toEqual(["/SHA256SUMS", "/missing"]);
  });

  it("cost one timeout when they do not answer", async () => {
    answers.set("/helm.sha256", "hang");
    answers.set("/etcd.sha256", "hang");
    const started = Date.now();
    const found = await reachableReleases(
      new Map([
        ["helm", release()],
        ["etcd", release({ checksumUrl: `${base}/etcd.sha256` })],
      ]),
      { timeoutMs: 300 },
    );
    expect(found).toEqual([]);
    expect(Date.now() - started).toBeLessThan(600);
  });
});

describe("a download", () => {
  it("becomes a program under the tool's name", async () => {
    answers.set("/helm", PROGRAM);
    const target = join(folder, "plain");
    const item = { name: "helm" as const, release: release(), sha256: DIGEST };
    expect(await downloadRelease(item, target, {})).toBe(true);
    expect(await readFile(join(target, "helm"), "utf8")).toBe(PROGRAM);
    expect((await stat(join(target, "helm"))).mode & 0o777).toBe(0o755);
  });

  it("keeps what stands next to the program in its archive", async () => {
    const archive = await archiveOf({ "linux-amd64/helm": PROGRAM, "linux-amd64/LICENSE": "x" });
    answers.set("/helm", archive);
    const target = join(folder, "archive");
    const item = {
      name: "helm" as const,
      release: release({ archive: "tgz", folder: "linux-amd64" }),
      sha256: sha256(archive),
    };
    expect(await downloadRelease(item, target, {})).toBe(true);
    expect((await readdir(target)).sort()).toEqual(["LICENSE", "helm"]);
  });

  it("that differs from its checksum is an error and leaves nothing", async () => {
    answers.set("/helm", "tampered");
    const target = join(folder, "tampered");
    const item = { name: "helm" as const, release: release(), sha256: DIGEST };
    await expect(downloadRelease(item, target, {})).rejects.toThrow("sandbox-download-checksum");
    expect((await readdir(folder)).filter((name) => name.startsWith("tampered"))).toEqual([]);
  });

  it("that fails on the way is no error", async () => {
    const item = { name: "helm" as const, release: release(), sha256: DIGEST };
    expect(await downloadRelease(item, join(folder, "gone"), {})).toBe(false);
  });
});

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

async function archiveOf(files: Record<string, string>): Promise<Buffer> {
  const source = await mkdtemp(join(folder, "source-"));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(source, name, ".."), { recursive: true });
    await writeFile(join(source, name), text);
  }
  const file = join(source, "out.tgz");
  await create({ gzip: true, cwd: source, file }, Object.keys(files));
  return readFile(file);
}
