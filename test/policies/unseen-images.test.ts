import { beforeEach, describe, expect, it } from "vitest";
import { createRegistryPolicy, registryPolicy } from "../../policies/registry.ts";
import { lostImages } from "../../policies/unseen/neighbours.ts";
import { getChart, getLayer } from "../../plan/plan.ts";
import { resolve } from "../../plan/resolve.ts";
import type { Plan } from "../../plan/plan.ts";
import { formatProblems } from "../../problems/problem.ts";
import { Catalog } from "../../versions/catalog.ts";
import type { CatalogImage, Product, Release } from "../../versions/schema.ts";
import { setStackConfig } from "../support/program.ts";
import { judge } from "../support/policy-args.ts";
import { catalog, settingsOf } from "../support/settings.ts";

const HOST = "harbor.test";
const SERVING = "kubernetes:operator.knative.dev/v1beta1:KnativeServing";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const RUNTIME = "kubernetes:serving.kserve.io/v1alpha1:ClusterServingRuntime";
const RELEASE = "kubernetes:helm.sh/v3:Release";

type Props = Record<string, unknown>;

/** What the policy says in a stack whose registry is set, with a catalog of its own. */
async function violations(
  type: string,
  props: Props,
  { rows = catalog, registry = {} }: { rows?: Catalog; registry?: Props } = {},
): Promise<readonly string[]> {
  setStackConfig({ registry: { host: HOST, ...registry } });
  const verdict = await judge(createRegistryPolicy(rows), { type, name: "subject", props });
  return verdict.violations;
}

/** The catalog with the images of one release changed. */
function withImages(
  product: Product,
  version: string,
  change: (images: readonly CatalogImage[]) => readonly CatalogImage[],
): Catalog {
  const releases = catalog
    .releases()
    .map((row) =>
      row.product === product && row.version === version
        ? ({ ...row, images: change(row.images) } as Release)
        : row,
    );
  return new Catalog(releases, catalog.sets, catalog.defaultSet.name);
}

function planWith(rows: Catalog, raw: Props = {}): Plan {
  const settings = settingsOf({ registry: { host: HOST }, ...raw });
  const { plan, problems } = resolve(settings, rows);
  if (plan === undefined) throw new Error(formatProblems(problems));
  return plan;
}

const specOf = (plan: Plan): Props => structuredClone(plan.knativeServing ?? {});

beforeEach(() => {
  setStackConfig({});
});

describe("images inside the Knative operator", () => {
  const plan = planWith(catalog);
  const version = getLayer(plan, "KnativeServing").version;
  const { images } = catalog.get("knative-serving", version);
  const plugin = plan.selection.versions["net-istio"] ?? "";

  it.each([
    ["Istio", {}],
    ["Kourier", { ingress: { type: "kourier" } }],
    ["the older set", { kserve: { version: "0.15.2" }, kubernetes: { version: "1.32" } }],
  ])("are all moved by the plan with %s", async (_name, raw) => {
    expect(await violations(SERVING, { spec: specOf(planWith(catalog, raw)) })).toEqual([]);
  });

  it.each(images.map(({ name, image, override }) => [name, image, override ?? ""]))(
    "are named when the catalog loses the override of %s",
    async (name, image, key) => {
      const rows = withImages("knative-serving", version, (all) =>
        all.map((item) => {
          const { override: _override, ...rest } = item;
          return item.name === name ? rest : item;
        }),
      );
      const found = await violations(SERVING, { spec: specOf(planWith(rows)) }, { rows });
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(`found:   ${image},`);
      expect(found[0]).toContain(
        name === "queue-proxy" || name === "migrate" || name === "cleanup"
          ? `versions/knative-serving/${version}.json`
          : `spec.registry.override["${key}"]`,
      );
    },
  );

  it("are named when the catalog loses the whole image, by the releases around it", async () => {
    const rows = withImages("knative-serving", version, (all) =>
      all.filter(({ name }) => name !== "activator"),
    );
    const found = await violations(SERVING, { spec: specOf(planWith(rows)) }, { rows });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("serving/cmd/activator");
    expect(found[0]).toContain('spec.registry.override["activator/activator"]');
  });

  it("are named when the network plugin loses an override", async () => {
    const rows = withImages("net-istio", plugin, (all) =>
      all.map(({ override: _override, ...image }) => image),
    );
    const found = await violations(SERVING, { spec: specOf(planWith(rows)) }, { rows });
    expect(found.join("\n")).toContain('spec.registry.override["net-istio-webhook/webhook"]');
    expect(found.join("\n")).toContain("net-istio/cmd/webhook");
  });

  it("are named when the resource loses one, whatever the plan says", async () => {
    const spec = specOf(plan) as { registry: { override: Record<string, string> }; config: Props };
    delete spec.registry.override["autoscaler/autoscaler"];
    spec.config["deployment"] = {};
    const found = await violations(SERVING, { spec });
    expect(found.map((text) => /: (spec\S+)/.exec(text)?.[1])).toEqual([
      'spec.registry.override["autoscaler/autoscaler"]',
      'spec.config.deployment["queue-sidecar-image"]',
    ]);
  });

  it("are named when a stack file takes an override away", async () => {
    const values = { registry: { override: { "controller/controller": null } } };
    const spec = specOf(planWith(catalog, { knative: { values } }));
    expect((await violations(SERVING, { spec })).join("\n")).toContain(
      'spec.registry.override["controller/controller"] is not set',
    );
  });

  it("may stay where they are when their prefix is exempt", async () => {
    const spec = { version, ingress: { istio: { enabled: true } } };
    expect((await violations(SERVING, { spec })).length).toBeGreaterThan(5);
    const registry = { exempt: ["gcr.io/knative-releases"] };
    expect(await violations(SERVING, { spec }, { registry })).toEqual([]);
  });

  it.each([
    ["a version without a row", { version: "9.9.9" }, "spec.version"],
    ["no version", {}, "spec.version"],
    ["a plugin without a list", { ingress: { contour: { enabled: true } } }, "spec.ingress"],
  ])("are unknown with %s, which is no pass", async (_name, change, key) => {
    const { version: _version, ...rest } = specOf(plan);
    const spec = { ...rest, ...("ingress" in change ? { version } : {}), ...change };
    expect((await violations(SERVING, { spec })).join("\n")).toContain(key);
  });
});

describe("images that istiod injects", () => {
  const injector = (global: Props, name = "istio-sidecar-injector"): Props => ({
    metadata: { name },
    data: { values: JSON.stringify({ global }) },
  });
  const good = {
    hub: `${HOST}/docker.io/istio`,
    tag: "1.28.10",
    proxy: { image: "proxyv2" },
    proxy_init: { image: "proxyv2" },
  };

  it("pass when hub, name and tag lead to the registry", async () => {
    expect(await violations(CONFIG_MAP, injector(good))).toEqual([]);
    const whole = { ...good, proxy: { image: `${HOST}/own/proxyv2:1` } };
    expect(await violations(CONFIG_MAP, injector(whole))).toEqual([]);
  });

  it.each([
    ["no hub", { ...good, hub: undefined }, "global.hub"],
    ["another hub", { ...good, hub: "docker.io/istio" }, "docker.io/istio/proxyv2:1.28.10"],
    ["a hub on Docker Hub in short form", { ...good, hub: "istio" }, "docker.io/istio/proxyv2"],
    ["no name", { ...good, proxy: {} }, "global.proxy.image"],
    [
      "a whole image of elsewhere",
      { ...good, proxy_init: { image: "gcr.io/x/p:1" } },
      "gcr.io/x/p:1",
    ],
  ])("are named with %s", async (_name, global, named) => {
    expect((await violations(CONFIG_MAP, injector(global))).join("\n")).toContain(named);
    expect(
      (await violations(CONFIG_MAP, injector(global, "istio-sidecar-injector-canary"))).length,
    ).toBeGreaterThan(0);
  });

  it("are not looked for in other ConfigMaps", async () => {
    expect(await violations(CONFIG_MAP, injector({}, "istio-sidecar"))).toEqual([]);
  });
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

describe("lost images", () => {
  it("are none in the catalog as it is", () => {
    const lost = catalog
      .releases()
      .filter(({ product }) => product !== "kserve")
      .map((row) => [row.product, row.version, lostImages(catalog, row)] as const)
      .filter(([, , images]) => images.length > 0);
    expect(lost).toEqual([]);
  });
});

describe("an exception in another registry", () => {
  it("is allowed, and nothing else there", async () => {
    const registry = { images: { "nvcr.io/nvidia/tritonserver": "gpu.test/nvidia/triton" } };
    setStackConfig({ registry: { host: HOST, ...registry } });
    const say = async (image: string): Promise<readonly string[]> =>
      (
        await judge(registryPolicy, {
          type: "kubernetes:apps/v1:Deployment",
          props: { spec: { containers: [{ image }] } },
        })
      ).violations;
    expect(await say("gpu.test/nvidia/triton:23.05")).toEqual([]);
    expect(await say("gpu.test/nvidia/other:1")).toHaveLength(1);
  });
});
