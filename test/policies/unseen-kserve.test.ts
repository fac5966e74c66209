import { beforeEach, describe, expect, it } from "vitest";
import { getChart, getLayer } from "../../plan/plan.ts";
import type { Catalog } from "../../versions/catalog.ts";
import type { CatalogImage } from "../../versions/schema.ts";
import { setStackConfig } from "../support/program.ts";
import { catalog } from "../support/settings.ts";
import { CONFIG_MAP, HOST, planWith, violations, withImages } from "../support/unseen.ts";
import type { Props } from "../support/unseen.ts";

const RUNTIME = "kubernetes:serving.kserve.io/v1alpha1:ClusterServingRuntime";
const RELEASE = "kubernetes:helm.sh/v3:Release";

beforeEach(() => {
  setStackConfig({});
});

describe("images that KServe puts into pods", () => {
  const image = `${HOST}/docker.io/kserve/agent:v0.20.0`;
  const entry = JSON.stringify({ image });
  const data = {
    agent: entry,
    batcher: entry,
    logger: entry,
    router: entry,
    storageInitializer: entry,
  };
  const config = (entries: Props): Props => ({
    metadata: { name: "inferenceservice-config" },
    data: entries,
  });

  it("pass when every entry names one", async () => {
    expect(await violations(CONFIG_MAP, config(data))).toEqual([]);
  });

  it.each(Object.keys(data))("are named when %s has none", async (key) => {
    const found = await violations(CONFIG_MAP, config({ ...data, [key]: "{}" }));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`data.${key} → image`);
    const { [key]: _entry, ...rest } = data as Props;
    expect(await violations(CONFIG_MAP, config(rest))).toHaveLength(1);
  });

  it("are searched as text where the JSON cannot be read", async () => {
    const broken = `{ "image": "kserve/router:v0.15.0", "imagePullSecrets": [x] }`;
    const found = await violations(CONFIG_MAP, config({ ...data, router: broken }));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("kserve/router:v0.15.0");
  });
});

describe("images that KServe's controller computes", () => {
  const runtime = (image: string): Props => ({ spec: { containers: [{ name: "main", image }] } });
  const SERVING_GPU = "docker.io/tensorflow/serving:2.6.2-gpu";

  it.each(
    catalog.versions("kserve").map((version) => [version, catalog.get("kserve", version).images]),
  )("are all listed for KServe %s", async (_version, images) => {
    for (const { image } of images as readonly CatalogImage[]) {
      const name = image.includes(".io/") ? image : `docker.io/${image}`;
      expect(await violations(RUNTIME, runtime(`${HOST}/${name}`)), image).toEqual([]);
    }
  });

  it.each([
    ["serving-gpu", `${HOST}/docker.io/tensorflow/serving:2.6.2`, SERVING_GPU],
    [
      "vllm-openai-cpu",
      `${HOST}/docker.io/vllm/vllm-openai:latest`,
      "docker.io/vllm/vllm-openai-cpu:latest",
    ],
    [
      "kserve-huggingfaceserver-multinode",
      `${HOST}/docker.io/kserve/huggingfaceserver:v0.20.0`,
      "docker.io/kserve/huggingfaceserver:v0.20.0-gpu",
    ],
  ])("are named when the catalog loses %s", async (name, image, computed) => {
    const rows = withImages("kserve", "0.20.0", (all) => all.filter((item) => item.name !== name));
    const found = await violations(RUNTIME, runtime(image), { rows });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`found:   ${computed},`);
    expect(found[0]).toContain("versions/kserve/0.20.0.json");
    expect(await violations(RUNTIME, runtime(`${image}-own`), { rows })).toEqual([]);
  });

  it("have to be where the controller looks for them, exceptions or not", async () => {
    const registry = { images: { "vllm/vllm-openai": `${HOST}/own/vllm` } };
    const found = await violations(RUNTIME, runtime(`${HOST}/own/vllm:latest`), { registry });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${HOST}/own/vllm-cpu:latest`);
    const both = {
      images: { ...registry.images, "vllm/vllm-openai-cpu": `${HOST}/own/vllm-cpu` },
    };
    expect(
      await violations(RUNTIME, runtime(`${HOST}/own/vllm:latest`), { registry: both }),
    ).toEqual([]);
  });
});

describe("images of cert-manager's opaque release", () => {
  const version = catalog.defaultSet["cert-manager"];
  const props = (rows: Catalog): Props => {
    const chart = getChart(getLayer(planWith(rows), "CertManager"), "controller");
    return { chart: "cert-manager", version: `v${version}`, values: chart.values };
  };

  it("are all moved by the plan", async () => {
    expect(await violations(RELEASE, props(catalog))).toEqual([]);
  });

  it.each(catalog.get("cert-manager", version).images.map(({ name, image }) => [name, image]))(
    "are named when the catalog loses the chart value of %s",
    async (name, image) => {
      const rows = withImages("cert-manager", version, (all) =>
        all.map((item) => {
          const { values: _values, ...rest } = item;
          return item.name === name ? rest : item;
        }),
      );
      const found = await violations(RELEASE, props(rows), { rows });
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(image);
      expect(found[0]).toContain(`versions/cert-manager/${version}.json`);
    },
  );

  it("are named when the catalog loses one whole image", async () => {
    const rows = withImages("cert-manager", "1.13.3", (all) =>
      all.filter(({ name }) => name !== "acmesolver"),
    );
    const found = await violations(
      RELEASE,
      { chart: "/c/cert-manager-1.13.3", values: {} },
      {
        rows,
      },
    );
    expect(found.join("\n")).toContain("values.acmesolver.image.repository");
  });
});
