import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolve } from "../../../plan/resolve.ts";
import { loadCatalog } from "../../../versions/catalog.ts";
import { settingsOf } from "../../support/settings.ts";

const VERSIONS = join(import.meta.dirname, "..", "..", "..", "versions");
const ROW = {
  kubernetes: "1.34.x || 1.35.x",
  istio: "1.28.x",
  knative: "1.20.x",
  source: "kserve/website@0123abcd:docs/admin-guide/serverless/serverless.md",
};
const DEMAND = {
  subject: "cert-manager",
  range: ">=1.21.0",
  because: "a made-up minimum, to show that a data file is enough",
  source: "kserve/website@0123abcd:docs/admin-guide/kubernetes-deployment.md",
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-"));
  await cp(VERSIONS, folder, { recursive: true });
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Writes a release that does not exist yet, made from the newest one. */
async function addRelease(version: string, facts: Record<string, unknown>): Promise<void> {
  const text = await readFile(join(folder, "kserve", "0.20.0.json"), "utf8");
  const release = JSON.parse(text.replaceAll("0.20.0", version)) as Record<string, unknown>;
  const file = join(folder, "kserve", `${version}.json`);
  await writeFile(file, JSON.stringify({ ...release, ...facts }));
}

function codesOf(version: string, raw: Record<string, unknown> = {}): string[] {
  const settings = settingsOf({ kserve: { version }, ...raw });
  return resolve(settings, loadCatalog(folder), { asOf: "2023-01-01" }).problems.map(
    (problem) => problem.code,
  );
}

describe("adding a release", () => {
  it("takes a data file and no code, rules included", async () => {
    await addRelease("0.21.0", { rows: [ROW], demands: [DEMAND] });
    const { plan } = resolve(settingsOf({ kserve: { version: "0.21.0" } }), loadCatalog(folder));
    expect(plan?.layers.at(-1)?.charts.map((chart) => chart.version)).toContain("v0.21.0");
    expect(codesOf("0.21.0", { istio: { version: "1.27.9" } })).toContain("compat-kserve-istio");
    expect(codesOf("0.21.0", { certManager: { version: "1.20.3" } })).toEqual([
      "compat-kserve-cert-manager",
    ]);
    expect(codesOf("0.20.0", { certManager: { version: "1.20.3" } })).toEqual([]);
  });

  it("takes nothing but the file for a patch of a known minor", async () => {
    await addRelease("0.20.1", {});
    expect(codesOf("0.20.1")).toEqual([]);
  });

  it("refuses a release without a row by a rule of its own, which can be acknowledged", async () => {
    await addRelease("0.22.0", {});
    expect(codesOf("0.22.0")).toEqual(["compat-kserve-no-row"]);
    const acknowledge = [{ rule: "compat-kserve-no-row", reason: "we try the newest release" }];
    const settings = settingsOf({ kserve: { version: "0.22.0" }, acknowledge });
    expect(resolve(settings, loadCatalog(folder)).plan?.selection.versions.kserve).toBe("0.22.0");
  });

  it.each([
    [{ rows: [{ ...ROW, istio: "one.28" }] }, "rows.0.istio: an npm semver range"],
    [{ rows: [{ ...ROW, source: undefined }] }, "rows.0.source"],
    [{ demands: [{ ...DEMAND, subject: "kubeflow" }] }, "demands.0.subject"],
    [{ product: "kubeflow" }, "product"],
  ])("fails with file and key for %j", async (facts, message) => {
    await addRelease("0.21.0", facts);
    expect(() => loadCatalog(folder)).toThrow(`kserve/0.21.0.json: ${message}`);
  });
});
