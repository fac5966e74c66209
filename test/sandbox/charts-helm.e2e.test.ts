/** Renders the stand-in charts with a real helm, where one is on PATH. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeStandInCharts } from "../../sandbox/charts/index.ts";
import { type Release, releaseSchema } from "../../versions/schema.ts";

const SETS = {
  default: [
    "kserve/0.20.0",
    "knative-operator/1.20.2",
    "istio/1.28.10",
    "cert-manager/1.21.1",
    "gateway-api/1.5.1",
  ],
  "0.16": ["kserve/0.16.0", "knative-operator/1.20.0", "istio/1.28.10", "cert-manager/1.19.2"],
  "0.15": ["kserve/0.15.2", "knative-operator/1.18.3", "istio/1.26.8", "cert-manager/1.18.6"],
};

/** Switches that make a chart render what its defaults leave out. */
const SWITCHES: Readonly<Record<string, string>> = {
  "cert-manager": "crds.enabled=true",
  "kserve-runtime-configs": "kserve.servingruntime.enabled=true",
};

const hasHelm = spawnSync("helm", ["version"]).status === 0;

function load(entry: string): Release {
  const file = join(import.meta.dirname, "../../versions", `${entry}.json`);
  return releaseSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function render(path: string): Rendered[] {
  const name = basename(path).replace(/-[\d.]+$/, "");
  const set = SWITCHES[name] === undefined ? [] : ["--set", SWITCHES[name]];
  // Without it a helm built from source takes the cluster for Kubernetes 1.20.
  const args = ["template", "it", path, "-n", "it", "--include-crds", "--kube-version", "1.34.3"];
  const text = execFileSync("helm", [...args, ...set], { encoding: "utf8" });
  return parseAllDocuments(text).flatMap((doc) => {
    const object = doc.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });
}

describe.skipIf(!hasHelm).each(Object.entries(SETS))("stand-ins of the %s set", (_set, entries) => {
  let dir = "";
  let paths: readonly string[] = [];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "stand-ins-"));
    paths = await writeStandInCharts({ dir, releases: entries.map(load) });
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  it("renders every chart to objects with unique names", () => {
    for (const path of paths.filter((p) => !p.endsWith(".yaml"))) {
      const ids = render(path).map((o) => `${o.kind}/${o.metadata.namespace}/${o.metadata.name}`);
      expect(ids.length, path).toBeGreaterThan(0);
      expect(new Set(ids).size, path).toBe(ids.length);
    }
  });

  it("puts the images of the catalog into the controller chart", () => {
    const release = entries.map(load).find((r) => r.product === "kserve");
    const chart = release?.charts.find((c) => c.role === "controller");
    const text = JSON.stringify(render(join(dir, `${chart?.name}-${release?.version}`)));
    const needed = release?.images.filter(
      (i) => i.chart === "controller" && i.optional === undefined,
    );
    expect(needed?.map((i) => i.image).filter((image) => !text.includes(image))).toEqual([]);
  });
});
