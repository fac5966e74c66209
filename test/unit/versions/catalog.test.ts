import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { check } from "../../../compat/check.ts";
import { parseReference } from "../../../images/reference.ts";
import { loadCatalog } from "../../../versions/catalog.ts";
import { catalog } from "../../support/settings.ts";

const PRODUCTS_OF_SETS = [
  "kserve",
  "knative-serving",
  "knative-operator",
  "istio",
  "cert-manager",
  "gateway-api",
] as const;
const VERSIONS = join(import.meta.dirname, "..", "..", "..", "versions");

describe("the catalog", () => {
  it("names only images that parse", () => {
    const bad = catalog
      .releases()
      .flatMap((release) =>
        release.images
          .filter((image) => parseReference(image.image) === undefined)
          .map((image) => `${release.product} ${release.version} ${image.image}`),
      );
    expect(bad).toEqual([]);
  });

  it("gives every image of a release a name of its own", () => {
    const doubled = catalog.releases().flatMap((release) => {
      const names = release.images.map((image) => image.name);
      return new Set(names).size === names.length ? [] : [`${release.product} ${release.version}`];
    });
    expect(doubled).toEqual([]);
  });

  it("has a set for every release of KServe", () => {
    const inSets = new Set(catalog.sets.map((set) => set.kserve));
    expect(catalog.versions("kserve").filter((version) => !inSets.has(version))).toEqual([]);
  });

  it.each(catalog.sets.map((set) => [set.name, set] as const))(
    "%s fits on each of its Kubernetes minors",
    (_name, set) => {
      for (const kubernetes of set.kubernetes) {
        const versions = Object.fromEntries(
          PRODUCTS_OF_SETS.map((product) => [product, set[product]]),
        );
        const problems = check({
          versions: { ...versions, kubernetes },
          mode: "Serverless",
          ingress: "istio",
        });
        const blocking = problems
          .filter((problem) => problem.level === "block")
          .map((problem) => problem.code);
        expect([...new Set(blocking)].sort(), kubernetes).toEqual([...set.breaks].sort());
      }
    },
  );
});

describe("loadCatalog", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "catalog-"));
    await cp(VERSIONS, folder, { recursive: true });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it.each([
    ["{", "kserve/0.16.0.json"],
    ['{"product": "kserve", "version": "0.16.0"}', "kserve/0.16.0.json: source"],
    ['{"product": "kubeflow", "version": "1.0.0"}', "kserve/0.16.0.json: product"],
  ])("names file and key of bad data %j", async (content, message) => {
    await writeFile(join(folder, "kserve", "0.16.0.json"), content);
    expect(() => loadCatalog(folder)).toThrow(message);
  });

  it("refuses a file whose name and content disagree", async () => {
    await cp(join(folder, "kserve", "0.16.0.json"), join(folder, "kserve", "0.99.0.json"));
    expect(() => loadCatalog(folder)).toThrow("kserve/0.99.0.json: holds kserve 0.16.0");
  });

  it("refuses sets that name a release or themselves wrongly, and folders of unknown products", async () => {
    const file = join(folder, "sets.json");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('"istio": "1.28.10"', '"istio": "9.9.9"'));
    expect(() => loadCatalog(folder)).toThrow("sets.json: sets.0.istio: no file istio/9.9.9.json");
    await writeFile(file, text.replace('"name": "kserve-0.19"', '"name": "kserve-0.20"'));
    expect(() => loadCatalog(folder)).toThrow('sets.1.name: "kserve-0.20" is there twice');
    await writeFile(file, text);
    await mkdir(join(folder, "kubeflow"));
    expect(() => loadCatalog(folder)).toThrow("kubeflow/: no such product");
  });
});
