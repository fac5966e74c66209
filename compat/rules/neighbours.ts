import type { Rule } from "../rule.ts";

const SEEN_BY_CODE =
  "istio/istio@1.31.0-rc.0:pkg/config/schema/gatewayapi/minimumversions.go; istio/istio.io#17394";

/**
 * Istio and the Gateway API CRDs. Left out on purpose: verdicts that need `PILOT_ENABLE_ALPHA_GATEWAY_API`, which this
 * program never switches on, and TLSRoute of 1.5 with Istio 1.28.7 and newer, which those releases do not watch anyway.
 */
const ISTIO_GATEWAY_API: readonly Rule[] = [
  {
    id: "compat-istio-gateway-api",
    when: { istio: "1.17.x" },
    requires: { subject: "gateway-api", range: "<1.1.0" },
    level: "block",
    evidence: "upstream",
    source: "istio/istio#41551; deployKF/deployKF#245",
    because:
      "istiod 1.17 lists ReferenceGrant v1alpha2, which newer CRDs do not serve, and never becomes ready (or set PILOT_ENABLE_GATEWAY_API=false in kserve:istio.values and acknowledge)",
  },
  {
    id: "compat-istio-gateway-api",
    when: { istio: ">=1.30.0" },
    requires: { subject: "gateway-api", range: ">=1.5.0" },
    level: "warn",
    evidence: "upstream",
    source: SEEN_BY_CODE,
    because: "Istio ignores TLSRoute of older bundles and asks for the newer CRDs first",
  },
  {
    id: "compat-istio-gateway-api",
    when: { istio: ">=1.31.0" },
    requires: { subject: "gateway-api", range: ">=1.6.0" },
    level: "warn",
    evidence: "upstream",
    source: SEEN_BY_CODE,
    because: "Istio ignores TCPRoute of older bundles",
  },
  {
    id: "compat-istio-gateway-api",
    when: { istio: "<1.27.9 || >=1.28.0 <1.28.6 || >=1.29.0 <1.29.2" },
    requires: { subject: "gateway-api", range: "<1.5.0" },
    level: "warn",
    evidence: "upstream",
    source: "istio/istio#59443; istio/istio#59387",
    because: "istiod was reported never to become ready with these CRDs",
  },
  {
    id: "compat-istio-gateway-api",
    when: { istio: "1.27.9 || 1.28.6 || 1.29.2", "gateway-api": "<1.5.0" },
    requires: { subject: "gateway-api", range: "<=1.4.0" },
    level: "warn",
    evidence: "upstream",
    source: "istio/istio#59949",
    because: "these releases ignore TLSRoutes of bundles above 1.4.0; the next patch mends it",
  },
];

/** Gateway API minor that each minor of Envoy Gateway is built with. */
const BUILT_WITH: readonly (readonly [envoyGateway: string, gatewayApi: string])[] = [
  ["1.4.x || 1.5.x", "1.3.x"],
  ["1.6.x || 1.7.x", "1.4.x"],
  ["1.8.x", "1.5.x"],
  ["1.9.x", "1.6.x"],
];

/**
 * Envoy Gateway and the Gateway API CRDs. Another minor than the one built in only warns: the controller leaves out
 * kinds that are not served, and the routes of KServe need none of the newer ones. The exception is 1.8.
 */
const ENVOY_GATEWAY_API: readonly Rule[] = [
  {
    id: "compat-envoy-gateway-gateway-api",
    when: { "envoy-gateway": "1.8.x" },
    requires: { subject: "gateway-api", range: ">=1.5.0" },
    level: "block",
    evidence: "upstream",
    source:
      "envoyproxy/gateway@v1.8.3:internal/provider/kubernetes/controller.go; envoyproxy/gateway#8999; adampetrovic/home-ops#2664",
    because:
      "its controller watches ListenerSet and TLSRoute v1 whether they are served or not, and ends without them",
  },
  ...BUILT_WITH.map(([envoyGateway, gatewayApi]): Rule => ({
    id: "compat-envoy-gateway-tested",
    when: { "envoy-gateway": envoyGateway },
    requires: { subject: "gateway-api", range: gatewayApi },
    level: "warn",
    evidence: "upstream",
    source: "envoyproxy/gateway@v1.9.0:site/content/en/news/releases/matrix.md",
    because: "its project builds and tests it with this minor of the CRDs only",
  })),
];

/** Istio minor that the tests of each net-istio minor run against, and the next one. */
const NET_ISTIO: readonly (readonly [netIstio: string, istio: string])[] = [
  ["1.11.x", "1.18.x || 1.19.x"],
  ["1.12.x", "1.19.x || 1.20.x"],
  ["1.13.x", "1.20.x || 1.21.x"],
  ["1.14.x", "1.21.x || 1.22.x"],
  ["1.15.x || 1.16.x", "1.22.x || 1.23.x"],
  ["1.17.x", "1.24.x || 1.25.x"],
  ["1.18.x", "1.25.x || 1.26.x"],
  ["1.19.x", "1.26.x || 1.27.x"],
  ["1.20.x", "1.27.x || 1.28.x"],
  ["1.21.x", "1.28.x || 1.29.x"],
  ["1.22.x", "1.29.x || 1.30.x"],
];

/**
 * Knative's Istio plugin against Istio. A warning: nothing checks it at run time. One minor above the tested one counts
 * as fitting, because KServe's published rows pair them so (Knative 1.20 with Istio 1.28).
 */
const KNATIVE_ISTIO: readonly Rule[] = NET_ISTIO.map(([netIstio, istio]) => ({
  id: "compat-net-istio-istio",
  when: { "net-istio": netIstio },
  requires: { subject: "istio", range: istio },
  level: "warn",
  evidence: "upstream",
  source: "knative-extensions/net-istio@knative-v1.22.0:third_party/istio-latest",
  because: "net-istio's own tests run against these Istio minors only",
}));

/** Pairs of dependencies that do not go together, whatever KServe says. */
export const NEIGHBOUR_RULES: readonly Rule[] = [
  ...ISTIO_GATEWAY_API,
  ...ENVOY_GATEWAY_API,
  ...KNATIVE_ISTIO,
];
