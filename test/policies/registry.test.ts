import { beforeEach, describe, expect, it } from "vitest";
import { registryPolicy } from "../../policies/registry.ts";
import { runProgram, setStackConfig } from "../support/program.ts";
import { judge, UNKNOWN_STRING } from "../support/policy-args.ts";
import type { Verdict } from "../support/policy-args.ts";

const HOST = "10.61.3.31:35000";
const GOOD = `${HOST}/docker.io/library/nginx:1`;
const BAD = "docker.io/library/nginx:1";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const RELEASE = "kubernetes:helm.sh/v3:Release";

const judgeProps = (
  props: Record<string, unknown>,
  type = DEPLOYMENT,
  config: Record<string, unknown> = { registries: [HOST] },
): Promise<Verdict> => judge(registryPolicy, { type, name: "web", props, config });

const withContainer = (container: Record<string, unknown>): Record<string, unknown> => ({
  spec: { template: { spec: { containers: [container] } } },
});

beforeEach(() => {
  setStackConfig({});
});

describe("registry-image-allowed", () => {
  it("passes images of the registry", async () => {
    expect(await judgeProps(withContainer({ image: GOOD, args: [`--image=${GOOD}`] }))).toEqual({
      violations: [],
    });
  });

  it("names rule, resource, path, image, what is allowed, who says so and what to do", async () => {
    const { violations } = await judgeProps(withContainer({ image: BAD }));
    expect(violations).toHaveLength(1);
    const [message = ""] = violations;
    expect(message).toMatch(/^\[registry-image-allowed\] kubernetes:apps\/v1:Deployment web$/m);
    expect(message).toContain(`found:   spec.template.spec.containers[0].image = ${BAD}`);
    expect(message).toMatch(new RegExp(`allowed: .*${HOST.replaceAll(".", "\\.")}`));
    expect(message).toMatch(/source: .*kserve:registry/);
    expect(message).toMatch(/to do: .*platform images/);
  });

  it.each([
    ["an argument", withContainer({ image: GOOD, args: ["--x", `--queue-image=${BAD}`] })],
    [
      "an argument with a catalog image in short form",
      withContainer({ image: GOOD, args: ["kserve/agent:v0.16.0"] }),
    ],
    ["an environment variable", withContainer({ image: GOOD, env: [{ name: "A", value: BAD }] })],
    ["JSON in a ConfigMap", { data: { agent: JSON.stringify({ image: BAD }) } }],
    ["YAML in a ConfigMap", { data: { config: `proxy:\n  image: ${BAD}\nother: 1\n` } }],
    [
      "a custom resource",
      { kind: "ClusterServingRuntime", spec: { containers: [{ image: BAD }] } },
    ],
    [
      "an override of KnativeServing",
      { kind: "KnativeServing", spec: { registry: { override: { "activator/activator": BAD } } } },
    ],
    ["a plain Docker Hub name", withContainer({ image: "nginx" })],
  ])("finds an image of elsewhere in %s", async (_name, props) => {
    const { violations } = await judgeProps(props, "kubernetes:any/v1:Kind");
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("[registry-image-allowed]");
  });

  it("reports every image, each at its place", async () => {
    const containers = [{ image: BAD }, { image: GOOD }, { image: "quay.io/a/b:1" }];
    const { violations } = await judgeProps({ spec: { containers } });
    expect(violations.map((text) => /found: {3}(\S+)/.exec(text)?.[1])).toEqual([
      "spec.containers[0].image",
      "spec.containers[2].image",
    ]);
  });

  it("is not misled by a registry whose name only begins alike", async () => {
    const config = { registries: ["harbor.test"] };
    for (const host of ["harbor.test.evil.io", "harbor.test:5000", "evil.io/harbor.test"]) {
      const props = withContainer({ image: `${host}/library/nginx:1` });
      expect((await judgeProps(props, DEPLOYMENT, config)).violations, host).toHaveLength(1);
    }
  });

  it("lets exempt prefixes stay where they are, up to whole path components", async () => {
    const config = { registries: [HOST], exempt: ["nvcr.io/nvidia"] };
    const judgeImage = (image: string): Promise<Verdict> =>
      judgeProps(withContainer({ image }), DEPLOYMENT, config);
    expect(await judgeImage("nvcr.io/nvidia/triton:1")).toEqual({ violations: [] });
    expect((await judgeImage("nvcr.io/nvidia-other/triton:1")).violations[0]).toContain(
      "nvcr.io/nvidia\n",
    );
  });

  it("takes registry and exemptions from the stack's configuration", async () => {
    setStackConfig({ registry: { host: HOST, exempt: ["nvcr.io"] } });
    const judgeImage = (image: string): Promise<Verdict> =>
      judgeProps(withContainer({ image }), DEPLOYMENT, {});
    expect(await judgeImage(GOOD)).toEqual({ violations: [] });
    expect(await judgeImage("nvcr.io/x:1")).toEqual({ violations: [] });
    expect((await judgeImage(BAD)).violations).toHaveLength(1);
  });

  it("judges the rest when the preview does not know a value", async () => {
    const props = withContainer({ image: BAD, command: [UNKNOWN_STRING], name: UNKNOWN_STRING });
    const { violations } = await judgeProps({ ...props, status: UNKNOWN_STRING });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(BAD);
  });

  it("does not apply without a registry, nor to what is not Kubernetes", async () => {
    const props = withContainer({ image: BAD });
    expect(await judgeProps(props, DEPLOYMENT, {})).toEqual({
      violations: [],
      notApplicable: "no registry is set",
    });
    expect(await judgeProps(props, "random:index:RandomId")).toMatchObject({
      violations: [],
      notApplicable: "no Kubernetes resource",
    });
  });
});

describe("registry-image-allowed on a Helm release", () => {
  const repositories = (host: string): Record<string, unknown> => {
    const image = (name: string): object => ({ image: { repository: `${host}/quay.io/${name}` } });
    return {
      ...image("jetstack/cert-manager-controller"),
      webhook: image("jetstack/cert-manager-webhook"),
      cainjector: image("jetstack/cert-manager-cainjector"),
      startupapicheck: image("jetstack/cert-manager-startupapicheck"),
      acmesolver: image("jetstack/cert-manager-acmesolver"),
    };
  };

  it("passes when every image of cert-manager's chart is set", async () => {
    const props = { chart: "/air/gap/cert-manager-1.21.1.tgz", values: repositories(HOST) };
    expect(await judgeProps(props, RELEASE)).toEqual({ violations: [] });
  });

  it.each(["cert-manager", "oci://quay.io/jetstack/charts/cert-manager", "/c/cert-manager-1.21.1"])(
    "blocks %s when an image is left to the chart",
    async (chart) => {
      const { webhook: _webhook, ...values } = repositories(HOST);
      const { violations } = await judgeProps({ chart, values }, RELEASE);
      expect(violations.join("\n")).toContain("values.webhook.image.repository is not set");
    },
  );

  it("blocks a repository of elsewhere", async () => {
    const values = { ...repositories(HOST), webhook: { image: { repository: "quay.io/a/b" } } };
    const { violations } = await judgeProps({ chart: "cert-manager", values }, RELEASE);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("values.webhook.image.repository = quay.io/a/b");
  });

  it("does not ask other charts for cert-manager's values", async () => {
    expect(await judgeProps({ chart: "redis", values: {} }, RELEASE)).toEqual({ violations: [] });
  });
});

describe("registry-image-allowed on the program", () => {
  it("finds nothing in an air-gapped stack, and much in one without a mirror", async () => {
    const judgeAll = async (raw: Record<string, unknown>): Promise<string[]> => {
      const { resources } = await runProgram(raw);
      const verdicts = await Promise.all(
        resources.map(({ type, name, inputs }) =>
          judge(registryPolicy, { type, name, props: inputs, config: { registries: [HOST] } }),
        ),
      );
      return verdicts.flatMap((verdict) => verdict.violations);
    };
    const charts = { source: "http", url: `https://${HOST}/charts` };
    expect(await judgeAll({ registry: { host: HOST }, charts })).toEqual([]);
    setStackConfig({});
    expect((await judgeAll({ charts })).length).toBeGreaterThan(0);
    const envoy = { mode: "RawDeployment", ingress: { type: "envoy" }, charts };
    expect(await judgeAll({ ...envoy, registry: { host: HOST } })).toEqual([]);
    setStackConfig({});
    const named = (await judgeAll(envoy)).join("\n");
    expect(named).toMatch(/EnvoyProxy envoy-gateway-proxy\n.*docker\.io\/envoyproxy\/envoy:/);
  });
});
