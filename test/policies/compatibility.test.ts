import { describe, expect, it } from "vitest";
import { check } from "../../compat/check.ts";
import { compatibilityPolicy } from "../../policies/compatibility.ts";
import { runProgram } from "../support/program.ts";
import { judge, UNKNOWN_STRING } from "../support/policy-args.ts";
import type { Verdict } from "../support/policy-args.ts";

const CONTRACT = {
  product: "kserve",
  version: "0.20.0",
  mode: "Serverless",
  ingress: "istio",
  kubernetes: "1.34",
  standsOn: {
    "cert-manager": "1.21.1",
    "gateway-api": "1.5.1",
    istio: "1.28.10",
    "knative-serving": "1.20.2",
  },
  acknowledge: [],
};
/** The same KServe on an Istio outside its row. */
const WRONG_ISTIO = { ...CONTRACT, standsOn: { ...CONTRACT.standsOn, istio: "1.29.1" } };
const REASON = { rule: "compat-kserve-istio", reason: "tried on our own test cluster" };

const judgeLayer = (props: Record<string, unknown>, config = {}): Promise<Verdict> =>
  judge(compatibilityPolicy, {
    type: "kserve-platform:layer:KServeCore",
    name: "kserve",
    props,
    config,
  });

describe("compatibility-layer-versions", () => {
  it("passes layers whose versions go together", async () => {
    expect(await judgeLayer(CONTRACT)).toEqual({ violations: [] });
  });

  it("passes every layer that the program registers", async () => {
    const { resources } = await runProgram();
    const layers = resources.filter((item) => "product" in item.inputs);
    expect(layers).toHaveLength(5);
    for (const { type, name, inputs } of layers)
      expect(await judge(compatibilityPolicy, { type, name, props: inputs })).toEqual({
        violations: [],
      });
  });

  it("judges what a feature asks for only where the layer has the feature", async () => {
    const older = { ...CONTRACT, standsOn: { ...CONTRACT.standsOn, "cert-manager": "1.17.4" } };
    const naming = async (props: Record<string, unknown>): Promise<boolean> =>
      (await judgeLayer(props)).violations.join().includes("compat-kserve-llm-cert-manager");
    expect(await naming({ ...older, features: ["llm"] })).toBe(true);
    expect(await naming({ ...older, features: ["local-model"] })).toBe(false);
    expect(await naming(older)).toBe(false);
    expect(await naming({ ...CONTRACT, features: ["llm"] })).toBe(false);
  });

  it("names rule, place, what it found, what is allowed, who says so and what to do", async () => {
    const { violations } = await judgeLayer(WRONG_ISTIO);
    expect(violations).toHaveLength(1);
    const [message = ""] = violations;
    expect(message).toMatch(/^\[compat-kserve-istio\] kserve › /);
    expect(message).toMatch(/^ {2}found: .*1\.29\.1/m);
    expect(message).toMatch(/^ {2}allowed: .*1\.28/m);
    expect(message).toMatch(/^ {2}source: .*kserve/m);
    expect(message).toMatch(/^ {2}to do: .*kserve:/m);
  });

  it.each([
    ["Knative", { standsOn: { "knative-serving": "1.21.0" } }, "compat-kserve-knative"],
    ["Kubernetes", { kubernetes: "1.35" }, "compat-kserve-kubernetes"],
    [
      "Knative's operator",
      {
        product: "knative-serving",
        version: "1.20.2",
        operatorVersion: "1.22.0",
        standsOn: { istio: "1.28.10" },
      },
      "compat-knative-operator-known-bad",
    ],
    [
      "cert-manager itself",
      { product: "cert-manager", version: "1.19.0", standsOn: {} },
      "compat-cert-manager-known-bad",
    ],
    [
      "Istio for the cluster",
      { product: "istio", version: "1.26.8", standsOn: { "gateway-api": "1.2.1" } },
      "compat-istio-kubernetes",
    ],
    [
      "Envoy Gateway for the Gateway API",
      { product: "envoy-gateway", version: "1.8.3", standsOn: { "gateway-api": "1.4.1" } },
      "compat-envoy-gateway-gateway-api",
    ],
  ])("blocks a wrong version of %s", async (_name, change, code) => {
    const { violations } = await judgeLayer({ ...CONTRACT, ...change });
    expect(violations.join("\n")).toContain(`[${code}]`);
  });

  it("lets a pair pass that its rule only warns of", async () => {
    const warned = { product: "istio", version: "1.30.3", standsOn: { "gateway-api": "1.4.1" } };
    const problems = check({
      versions: { istio: warned.version, ...warned.standsOn, kubernetes: "1.34" },
      mode: "Serverless",
      ingress: "istio",
    });
    expect(problems.map((problem) => problem.code)).toContain("compat-istio-gateway-api");
    expect(new Set(problems.map((problem) => problem.level))).toEqual(new Set(["warn"]));
    expect(await judgeLayer({ ...CONTRACT, ...warned })).toEqual({ violations: [] });
  });

  it("lets an acknowledged rule pass, and no other", async () => {
    expect(await judgeLayer({ ...WRONG_ISTIO, acknowledge: [REASON] })).toEqual({ violations: [] });
    const other = { ...REASON, rule: "compat-kserve-knative" };
    expect((await judgeLayer({ ...WRONG_ISTIO, acknowledge: [other] })).violations).toHaveLength(1);
  });

  it("takes no acknowledgement where the pack forbids it", async () => {
    const contract = { ...WRONG_ISTIO, acknowledge: [REASON] };
    const { violations } = await judgeLayer(contract, { allowAcknowledgements: false });
    expect(violations.join("\n")).toContain("[compat-kserve-istio]");
    expect(await judgeLayer(contract, { allowAcknowledgements: true })).toEqual({ violations: [] });
  });

  it("judges the rest when the preview does not know a value", async () => {
    const unknown = { ...CONTRACT, standsOn: { ...WRONG_ISTIO.standsOn }, note: UNKNOWN_STRING };
    const { violations } = await judgeLayer(unknown);
    expect(violations.join("\n")).toContain("[compat-kserve-istio]");
  });

  it("blocks a layer that does not say what it is", async () => {
    const { version: _version, ...nameless } = CONTRACT;
    for (const props of [nameless, {}, { ...CONTRACT, mode: "Ambient" }]) {
      const { violations } = await judgeLayer(props);
      expect(violations.join("\n")).toMatch(/^\[compatibility-layer-contract\] kserve /);
    }
  });

  it("does not let a version through that the preview does not know", async () => {
    const standsOn = { ...CONTRACT.standsOn, istio: UNKNOWN_STRING };
    const { violations } = await judgeLayer({ ...CONTRACT, standsOn });
    expect(violations.length).toBeGreaterThan(0);
  });

  it.each([
    "kubernetes:core/v1:Pod",
    "kserve-platform:layer:Namespaces",
    "kserve-platform:layer:IstioGateway",
    "other:layer:KServeCore",
  ])("does not apply to %s", async (type) => {
    const verdict = await judge(compatibilityPolicy, { type, props: WRONG_ISTIO });
    expect(verdict).toEqual({ violations: [], notApplicable: "not a layer" });
  });
});
