import type { Rule } from "../rule.ts";

/** Pairs of dependencies that do not go together, whatever KServe says. */
export const NEIGHBOUR_RULES: readonly Rule[] = [
  {
    id: "compat-istio-gateway-api",
    when: { istio: ">=1.30.0" },
    requires: { subject: "gateway-api", range: ">=1.5.0" },
    level: "warn",
    evidence: "upstream",
    source:
      "istio/istio@1.31.0-rc.0:pkg/config/schema/gatewayapi/minimumversions.go; istio/istio.io#17394",
    because: "Istio ignores TLSRoute of older bundles and asks for the newer CRDs first",
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
];
