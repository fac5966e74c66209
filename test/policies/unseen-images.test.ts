import { beforeEach, describe, expect, it } from "vitest";
import { registryPolicy } from "../../policies/registry.ts";
import { lostImages } from "../../policies/unseen/neighbours.ts";
import { getLayer } from "../../plan/plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { setStackConfig } from "../support/program.ts";
import { judge } from "../support/policy-args.ts";
import { catalog } from "../support/settings.ts";
import { CONFIG_MAP, HOST, planWith, violations, withImages } from "../support/unseen.ts";
import type { Props } from "../support/unseen.ts";

const SERVING = "kubernetes:operator.knative.dev/v1beta1:KnativeServing";
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
