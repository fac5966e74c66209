import type { Rule } from "../rule.ts";

/** Releases that must not be installed at all. */
const BROKEN: readonly Rule[] = [
  {
    id: "compat-kserve-known-bad",
    when: { kserve: "0.15.0" },
    level: "block",
    evidence: "upstream",
    source: "kserve/kserve#4821",
    because: "its chart renders invalid JSON for the router in inferenceservice-config",
  },
  {
    id: "compat-kserve-known-bad",
    when: { kserve: "0.17.0 || 0.18.0" },
    level: "block",
    evidence: "upstream",
    source: "kserve/kserve#5210; kserve/kserve#5534",
    because: "the CRD clusterstoragecontainers is deleted on the second upgrade",
  },
  {
    id: "compat-knative-operator-known-bad",
    when: { "knative-operator": "1.22.0" },
    level: "block",
    evidence: "upstream",
    source: "knative/operator#2293; knative/operator@knative-v1.22.1:config/crd/bases",
    because: "its CRDs lost the conversion stanza, which 1.22.1 restored",
  },
  {
    id: "compat-cert-manager-known-bad",
    when: { "cert-manager": "1.14.0 - 1.14.3 || 1.19.0 || 1.21.0" },
    level: "block",
    evidence: "upstream",
    source:
      "cert-manager/website@776e5db:content/docs/releases/release-notes/release-notes-1.14.md; cert-manager/website@776e5db:content/docs/releases/upgrading/upgrading-1.18-1.19.md; cert-manager/website@776e5db:content/docs/releases/release-notes/release-notes-1.21.md",
    because: "its own release notes advise to skip it",
  },
];

/** Releases with a fault that bites only in certain situations, each of which the rule names. */
const FAULTY: readonly Rule[] = [
  {
    id: "compat-knative-serving-faulty",
    when: { "knative-serving": "1.12.0 - 1.12.3 || 1.13.0" },
    level: "warn",
    evidence: "upstream",
    source: "knative/serving#14660",
    because: "a healthy Revision is taken down when its pods cannot be created during an upgrade",
  },
  {
    id: "compat-knative-operator-faulty",
    when: { "knative-operator": "1.11.0 - 1.11.5" },
    level: "warn",
    evidence: "upstream",
    source: "knative/operator#1553",
    because:
      "image overrides of Jobs are lost on later reconciles: with a mirror they pull upstream",
  },
  {
    id: "compat-istio-faulty",
    when: { istio: "1.30.x" },
    level: "warn",
    evidence: "upstream",
    source: "istio/istio#60629",
    because: "istiod's CPU rises with many VirtualServices, which Knative and KServe write",
  },
  {
    id: "compat-cert-manager-faulty",
    when: { "cert-manager": "1.18.0 || 1.18.1" },
    level: "warn",
    evidence: "upstream",
    source:
      "cert-manager/website@776e5db:content/docs/releases/release-notes/release-notes-1.18.md",
    because: "its value global.rbac.disableHTTPChallengesRole was withdrawn in 1.18.2",
  },
];

/** Releases with published security advisories that a later patch mends. */
const ADVISORIES: readonly Rule[] = [
  {
    id: "compat-cert-manager-advisory",
    when: { "cert-manager": ">=1.18.0 <1.19.6 || >=1.20.0 <1.20.3" },
    level: "warn",
    evidence: "upstream",
    source:
      "cert-manager/website@776e5db:content/docs/releases/release-notes/release-notes-1.20.md; rawkode-academy/rawkode-academy#1285",
    because: "GHSA-8rvj-mm4h-c258 (high): namespace users may create ACME Challenges and Orders",
  },
  {
    id: "compat-cert-manager-advisory",
    when: { "cert-manager": "1.19.0 - 1.19.2" },
    level: "warn",
    evidence: "upstream",
    source:
      "cert-manager/website@776e5db:content/docs/releases/release-notes/release-notes-1.19.md",
    because: "GHSA-gx3x-vq4p-mhhv (moderate): a cached DNS response can stop the controller",
  },
  {
    id: "compat-istio-advisory",
    when: { istio: "<1.28.6 || >=1.29.0 <1.29.2" },
    level: "warn",
    evidence: "upstream",
    source: "istio/istio.io@a6ad2a706c81:content/en/docs/releases/supported-releases/index.md",
    because: "Istio lists it among the versions with known vulnerabilities",
  },
];

/** Faults that release notes name with their advisory, by the patches that mend them. */
const ENVOY_GATEWAY_ADVISORIES: readonly Rule[] = [
  {
    id: "compat-envoy-gateway-advisory",
    when: { "envoy-gateway": "<1.5.7 || >=1.6.0 <1.6.2" },
    level: "warn",
    evidence: "upstream",
    source:
      "envoyproxy/gateway@v1.9.0:release-notes/v1.5.7.yaml; envoyproxy/gateway@v1.9.0:release-notes/v1.6.2.yaml; golang/vulndb#4312",
    because:
      "CVE-2026-22771 (high): who may write an EnvoyExtensionPolicy runs code in controller and proxies",
  },
  {
    id: "compat-envoy-gateway-advisory",
    when: { "envoy-gateway": "<1.7.4 || 1.8.0" },
    level: "warn",
    evidence: "upstream",
    source:
      "envoyproxy/gateway@v1.9.0:release-notes/v1.7.4.yaml; envoyproxy/gateway@v1.9.0:release-notes/v1.8.1.yaml",
    because:
      "GHSA-fcrp-7gc2-93g7, GHSA-wcrf-9vrr-854f and others: a ReferenceGrant is bypassed, controller files can be read",
  },
];

/** What is known to be wrong with single releases. */
export const KNOWN_BAD_RULES: readonly Rule[] = [
  ...BROKEN,
  ...FAULTY,
  ...ADVISORIES,
  ...ENVOY_GATEWAY_ADVISORIES,
];
