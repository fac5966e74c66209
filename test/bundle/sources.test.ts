import { mkdtemp, readdir, readFile, rm, writeFile, mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChartSource } from "../../bundle/charts.ts";
import type { BundleChart } from "../../bundle/contents.ts";
import { hashFile, PARTIAL } from "../../bundle/download.ts";
import { Loader } from "../../bundle/load.ts";
import { Remote } from "../../bundle/remote.ts";
import { fetchTool } from "../../bundle/tools.ts";
import type { ToolFile } from "../../bundle/tools.ts";
import { digestOfBytes } from "../../registry/registry.ts";
import { registryTools, startRegistry } from "../support/registry.ts";

const CHART: BundleChart = {
  name: "kserve",
  version: "v0.16.0",
  repository: "",
  file: "kserve-0.16.0.tgz",
};
const CONTENT = Buffer.from("the archive of a program, long enough to be cut in the middle");
const HEX = digestOfBytes(CONTENT).slice("sha256:".length);

let folder: string;
let server: Server;
let address: string;
const files = new Map<string, string | Buffer>();
const seen: string[] = [];
const remote = new Remote({
  timeout: 2000,
  credentials: () => undefined,
  retry: { retries: 2, delay: 1 },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sources-"));
  server = createServer((request, response) => {
    const { url = "", headers } = request;
    seen.push(`${url} ${headers.range ?? ""}`.trim());
    const content = files.get(url);
    const from = Number(/bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0);
    if (content === undefined) response.writeHead(404).end();
    else if (from >= content.length) response.writeHead(416).end();
    else response.writeHead(from === 0 ? 200 : 206).end(Buffer.from(content).subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const chart = join(folder, "unpacked", "kserve-0.16.0");
  await mkdir(join(chart, "templates"), { recursive: true });
  await writeFile(join(chart, "Chart.yaml"), "apiVersion: v2\nname: kserve\nversion: v0.16.0\n");
  await writeFile(join(chart, "templates", "a.yaml"), "kind: ConfigMap\n");
});
beforeEach(() => {
  files.clear();
  seen.length = 0;
});
afterAll(async () => {
  remote.close();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const local = () => [
  { name: "kserve", version: "0.16.0", path: join(folder, "unpacked", "kserve-0.16.0") },
];

describe("charts", () => {
  it("that are at hand unpacked are packed to the same bytes each time", async () => {
    const source = new ChartSource(remote, local());
    const one = await source.bring(CHART, join(folder, "one", CHART.file));
    const two = await source.bring(CHART, join(folder, "two", CHART.file));
    expect(one).toEqual(two);
    await expect(
      source.bring({ ...CHART, version: "v0.17.0" }, join(folder, "x")),
    ).rejects.toMatchObject({ kind: "missing" });
    expect(seen).toEqual([]);
  });

  it("come from a Helm repository by its index, held against the digest there", async () => {
    const packed = await readFile(join(folder, "one", CHART.file));
    const hex = digestOfBytes(packed).slice("sha256:".length);
    const index = (digest: string) =>
      `entries:\n  kserve:\n    - {version: v0.16.0, digest: ${digest}, urls: [files/kserve.tgz]}\n`;
    files.set("/charts/index.yaml", index(hex));
    files.set("/charts/files/kserve.tgz", packed);
    const chart = { ...CHART, repository: `${address}/charts` };
    const brought = await new ChartSource(remote).bring(chart, join(folder, "http", CHART.file));
    expect(brought.digest).toBe(`sha256:${hex}`);
    files.set("/charts/index.yaml", index("0".repeat(64)));
    const wrong = new ChartSource(remote).bring(chart, join(folder, "wrong", CHART.file));
    await expect(wrong).rejects.toMatchObject({ kind: "protocol" });
    expect(await readdir(join(folder, "wrong"))).toEqual([]);
  });

  it("say that an index does not have them", async () => {
    files.set("/index.yaml", "entries: {}\n");
    const asked = new ChartSource(remote).bring(
      { ...CHART, repository: address },
      join(folder, "none"),
    );
    await expect(asked).rejects.toThrow(/index\.yaml has no kserve v0\.16\.0/);
  });

  it("come back from a registry as they were sent", async (context) => {
    const tools = await registryTools();
    if (typeof tools === "string") return skipped(context, tools);
    const registry = await startRegistry(tools.registry, { folder: join(folder, "registry") });
    try {
      const target = { host: registry.host, repository: "charts/kserve", tag: "v0.16.0" };
      const loader = new Loader(join(folder, "one"));
      const push = () => loader.pushChart(remote.registry(registry.host), CHART.file, target);
      expect(await push()).toBe("sent");
      expect(await push()).toBe("present");
      const chart = { ...CHART, repository: `oci://${registry.host}/charts` };
      const brought = await new ChartSource(remote).bring(chart, join(folder, "oci", CHART.file));
      expect(brought).toEqual(await hashFile(join(folder, "one", CHART.file)));
    } finally {
      await registry.stop();
    }
  });
});

describe("tools", () => {
  const tool = (): ToolFile => ({
    name: "tool",
    version: "1.0.0",
    file: "tools/tool.tar.gz",
    url: `${address}/tool.tar.gz`,
    checksumUrl: `${address}/sums`,
    readChecksum: (text) => /^([0-9a-f]{64}) /.exec(text)?.[1],
  });

  it("are held against their published checksum", async () => {
    files.set("/tool.tar.gz", CONTENT);
    files.set("/sums", `${HEX}  tool.tar.gz\n`);
    const brought = await fetchTool(remote, tool(), join(folder, "right"));
    expect(brought).toEqual({ digest: `sha256:${HEX}`, size: CONTENT.length });
    files.set("/sums", `${"0".repeat(64)}  tool.tar.gz\n`);
    await expect(fetchTool(remote, tool(), join(folder, "other"))).rejects.toMatchObject({
      kind: "protocol",
    });
    files.set("/sums", "nothing\n");
    await expect(fetchTool(remote, tool(), join(folder, "other"))).rejects.toThrow(/no checksum/);
    expect((await readdir(folder)).filter((name) => name.startsWith("other"))).toEqual([]);
  });

  it.each([
    ["something else", "something else"],
    ["more than there is", Buffer.alloc(500)],
  ])(
    "go on with what an earlier run left, and start again when that was %s",
    async (_name, left) => {
      files.set("/tool.tar.gz", CONTENT);
      files.set("/sums", `${HEX}  tool.tar.gz\n`);
      const file = join(folder, "resumed");
      await writeFile(`${file}${PARTIAL}`, CONTENT.subarray(0, 20));
      expect((await fetchTool(remote, tool(), file)).digest).toBe(`sha256:${HEX}`);
      expect(seen).toContain("/tool.tar.gz bytes=20-");
      await writeFile(`${file}-2${PARTIAL}`, left);
      expect((await fetchTool(remote, tool(), `${file}-2`)).digest).toBe(`sha256:${HEX}`);
      expect(await readFile(`${file}-2`)).toEqual(CONTENT);
      seen.length = 0;
      await writeFile(`${file}-3${PARTIAL}`, CONTENT);
      expect((await fetchTool(remote, tool(), `${file}-3`)).size).toBe(CONTENT.length);
      expect(seen).toEqual(["/sums"]);
    },
  );
});

function skipped(context: { skip: (reason: string) => void }, reason: string): void {
  context.skip(reason);
}
