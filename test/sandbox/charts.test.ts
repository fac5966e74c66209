import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { standIns, writeStandInCharts } from "../../sandbox/charts/index.ts";
import { chartFiles, chartFolder } from "../../sandbox/charts/write.ts";
import { type ChartModel, type KubeObject, templateText } from "../../sandbox/charts/model.ts";
import { type Release, releaseSchema } from "../../versions/schema.ts";

const VERSIONS = join(import.meta.dirname, "../../versions");
const WITH_CHARTS = [
  "gateway-api",
  "cert-manager",
  "istio",
  "envoy-gateway",
  "knative-operator",
  "kserve",
];

function load(product: string, file: string): Release {
  return releaseSchema.parse(JSON.parse(readFileSync(join(VERSIONS, product, file), "utf8")));
}

const RELEASES = WITH_CHARTS.flatMap((product) =>
  readdirSync(join(VERSIONS, product)).map((file) => load(product, file)),
);
const named = RELEASES.map(
  (release) => [`${release.product} ${release.version}`, release] as const,
);

function objectsOf(chart: ChartModel): KubeObject[] {
  const templates = Object.values(chart.templates).flatMap((template) => template.docs);
  return [...templates.map((doc) => doc.object), ...(chart.crdsFolder ?? [])];
}

function identity(object: KubeObject): string {
  return JSON.stringify([object.kind, object.metadata["namespace"], object.metadata.name]);
}

function crdNames(objects: readonly KubeObject[]): string[] {
  return objects.filter((o) => o.kind === "CustomResourceDefinition").map((o) => o.metadata.name);
}

/** Charts that a user would install together: the smaller variants repeat the full ones. */
function mainCharts(release: Release): ChartModel[] {
  const variants = release.charts
    .filter((chart) => chart.variantOf !== undefined)
    .map((c) => c.name);
  return standIns(release).charts.filter((chart) => !variants.includes(chart.name));
}

describe("stand-in charts of every release", () => {
  it.each(named)("%s: no chart holds two objects of one identity", (_name, release) => {
    for (const chart of standIns(release).charts) {
      const ids = objectsOf(chart).map(identity);
      expect(ids, chart.name).toHaveLength(new Set(ids).size);
    }
  });

  it.each(named)("%s: the definitions are the catalog's", (_name, release) => {
    const { manifests } = standIns(release);
    const fromCharts = mainCharts(release).flatMap(objectsOf);
    const all = new Set(crdNames([...fromCharts, ...manifests.flatMap((m) => m.objects)]));
    expect([...all].sort()).toEqual((release.crds?.items ?? []).map((item) => item.name).sort());
  });

  it.each(named)("%s: every image that a chart names is in a chart", (_name, release) => {
    const text = standIns(release).charts.map((chart) =>
      Object.values(chartFiles(chart)).join("\n"),
    );
    for (const image of release.images.filter((i) => i.chart !== undefined)) {
      const [repository = ""] = image.image.split(":");
      const found = text.some(
        (t) => t.includes(repository) || t.includes(repository.split("/").pop() ?? repository),
      );
      expect(found, image.name).toBe(true);
    }
  });

  it.each(named)("%s: no placeholder of ours is left in a template", (_name, release) => {
    for (const chart of standIns(release).charts) {
      for (const template of Object.values(chart.templates)) {
        const text = templateText(template);
        expect(text).not.toContain("HELM__");
        expect(text).not.toContain("undefined");
      }
    }
  });

  it.each(named)("%s: chart and manifest names are the published ones", (_name, release) => {
    const { charts, manifests } = standIns(release);
    expect(charts.map(({ name, version }) => ({ name, version }))).toEqual(
      release.charts.map(({ name, version }) => ({ name, version })),
    );
    expect(manifests.map((m) => m.file)).toEqual(release.manifests.map((m) => m.file));
  });
});

describe("traps that the stand-ins keep", () => {
  const chart = (product: string, version: string, name: string): ChartModel => {
    const found = standIns(load(product, `${version}.json`)).charts.find((c) => c.name === name);
    if (!found) throw new Error(`${product} ${version} has no chart ${name}`);
    return found;
  };

  it("sends empty rules with the operator's four aggregated roles", () => {
    const roles = objectsOf(chart("knative-operator", "1.20.2", "knative-operator")).filter(
      (o) => "aggregationRule" in o,
    );
    expect(roles.map((o) => o["rules"])).toEqual([[], [], [], []]);
  });

  it("marks Istio's definitions to be kept, in crds/ before 1.24 and in templates after", () => {
    expect(chart("istio", "1.23.2", "base").crdsFolder).toHaveLength(14);
    const modern = chart("istio", "1.28.10", "base");
    expect(modern.crdsFolder).toBeUndefined();
    expect(
      templateText(modern.templates["crds.yaml"] ?? { docs: [] }).split(
        "helm.sh/resource-policy: keep",
      ),
    ).toHaveLength(15);
  });

  it("lets the chart set Istio's failure policy only where the release can", () => {
    const text = (version: string): string =>
      JSON.stringify(chartFiles(chart("istio", version, "base")));
    expect(text("1.28.10")).toContain("validationFailurePolicy");
    expect(text("1.23.2")).not.toContain("validationFailurePolicy");
  });

  it("refuses unknown values of cert-manager from the release on that upstream does", () => {
    expect(chart("cert-manager", "1.13.0", "cert-manager").schema).toBeUndefined();
    expect(chart("cert-manager", "1.21.1", "cert-manager").schema).toMatchObject({
      additionalProperties: false,
    });
  });

  it("passes the solver image as an argument, where no rewrite of containers sees it", () => {
    const text = Object.values(chartFiles(chart("cert-manager", "1.21.1", "cert-manager"))).join(
      "\n",
    );
    expect(text).toContain(
      "--acme-http01-solver-image={{ with .Values.acmesolver.image.registry }}",
    );
  });

  it("runs cert-manager's start-up check as a hook", () => {
    const job = objectsOf(chart("cert-manager", "1.19.2", "cert-manager")).find(
      (o) => o.kind === "Job",
    );
    expect(job?.metadata["annotations"]).toMatchObject({ "helm.sh/hook": "post-install" });
  });

  it("keeps KServe's runtimes off until they are asked for, and in the controller chart before 0.17", () => {
    const split =
      chart("kserve", "0.20.0", "kserve-runtime-configs").templates["runtimes.yaml"]?.docs ?? [];
    expect(new Set(split.map((doc) => doc.when))).toEqual(
      new Set([".Values.kserve.servingruntime.enabled"]),
    );
    const old = chart("kserve", "0.16.0", "kserve").templates["runtimes.yaml"]?.docs ?? [];
    expect(old.map((doc) => doc.when)).toEqual(old.map(() => undefined));
  });

  it("brings Envoy Gateway's certificates as a hook, and definitions that are in two charts", () => {
    const controller = chart("envoy-gateway", "1.8.3", "gateway-helm");
    const job = objectsOf(controller).find((o) => o.kind === "Job");
    expect(job?.metadata["annotations"]).toMatchObject({
      "helm.sh/hook": "pre-install, pre-upgrade",
    });
    expect(crdNames(controller.crdsFolder ?? [])).toEqual(
      crdNames(objectsOf(chart("envoy-gateway", "1.8.3", "gateway-crds-helm"))),
    );
  });

  it("lets Envoy Gateway's chart bring the guard of Gateway API, which 1.8.1 switches off elsewhere", () => {
    const guard = (version: string): readonly (string | undefined)[] =>
      chart("envoy-gateway", version, "gateway-helm").templates["guard.yaml"]?.docs.map(
        (doc) => doc.when,
      ) ?? [];
    expect(guard("1.7.5")).toEqual([]);
    expect(guard("1.8.1")[0]).not.toContain(".Values.crds.enabled");
    expect(guard("1.8.3")[0]).toContain(".Values.crds.enabled");
  });

  it("brings what our plans leave out, or leaving it out would prove nothing", () => {
    for (const release of RELEASES.filter(({ product }) => product === "kserve"))
      for (const { name, leaveOut } of release.charts) {
        const found = objectsOf(chart("kserve", release.version, name));
        const kinds = found.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
        expect(
          leaveOut.filter((object) => !kinds.includes(object)),
          name,
        ).toEqual([]);
      }
  });

  it("converts the LLM kinds through the LLM controller from 0.17 on", () => {
    const conversions = (version: string, name: string): unknown[] =>
      objectsOf(chart("kserve", version, name))
        .filter(({ metadata }) => metadata.name.startsWith("llm"))
        .map(({ spec }) => (spec as { conversion?: { strategy: string } }).conversion?.strategy);
    expect(conversions("0.17.1", "kserve-llmisvc-crd")).toEqual(["Webhook", "Webhook"]);
    expect(conversions("0.16.0", "llmisvc-crd")).toEqual([undefined, undefined]);
  });

  it("guards Gateway API against bundles of a lower minor", () => {
    const [manifest] = standIns(load("gateway-api", "1.5.1.json")).manifests;
    const policy = manifest?.objects.find((o) => o.kind === "ValidatingAdmissionPolicy");
    expect(JSON.stringify(policy)).toContain("v1[.][0-4]");
    const [older] = standIns(load("gateway-api", "1.2.1.json")).manifests;
    expect(older?.objects.map((o) => o.kind)).toEqual(Array(5).fill("CustomResourceDefinition"));
  });
});

describe("writeStandInCharts", () => {
  const releases = [load("kserve", "0.20.0.json"), load("gateway-api", "1.5.1.json")];
  let dir = "";
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "stand-ins-"));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it("writes folders without the leading v, and manifests under their catalog names", async () => {
    const written = await writeStandInCharts({ dir, releases });
    expect(written).toContain(join(dir, "kserve-resources-0.20.0"));
    expect(written).toContain(join(dir, "gateway-api-1.5.1-standard-install.yaml"));
    expect((await readdir(dir)).filter((name) => name.startsWith("."))).toEqual([]);
    const meta: unknown = parse(
      await readFile(join(dir, "kserve-resources-0.20.0/Chart.yaml"), "utf8"),
    );
    expect(meta).toMatchObject({ name: "kserve-resources", version: "v0.20.0" });
    const docs = parseAllDocuments(
      await readFile(join(dir, "gateway-api-1.5.1-standard-install.yaml"), "utf8"),
    );
    expect(docs).toHaveLength(10);
  });

  it("changes nothing the second time, and repairs a chart that was damaged", async () => {
    await writeStandInCharts({ dir, releases });
    const file = join(dir, chartFolder({ name: "kserve-crd", version: "v0.20.0" }), "Chart.yaml");
    const before = await stat(file);
    await writeStandInCharts({ dir, releases });
    expect((await stat(file)).mtimeMs).toBe(before.mtimeMs);
    await writeFile(file, "broken");
    await writeStandInCharts({ dir, releases });
    expect(await readFile(file, "utf8")).toContain("name: kserve-crd");
  });
});
