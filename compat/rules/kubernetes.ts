import type { Rule, Subject } from "../rule.ts";

/** Supported Kubernetes minors of one product minor: release range, Kubernetes range. */
type SupportRow = readonly [release: string, kubernetes: string];

/** A table of one product, as its project publishes it. */
interface SupportTable {
  readonly subject: Subject;
  /** Rule id; several tables of one product differ in what they say. */
  readonly id: string;
  readonly level: "block" | "warn";
  readonly source: string;
  readonly because: string;
  readonly rows: readonly SupportRow[];
}

const OUTSIDE_TABLE = "its project does not support this Kubernetes minor";

/** Istio's charts carry no `kubeVersion`, so Helm lets everything through; the table is all there is. */
const ISTIO_OLD: SupportTable = {
  subject: "istio",
  id: "compat-istio-kubernetes",
  level: "block",
  source:
    "istio/istio.io@0a759c7fabfe:data/compatibility/supportStatus.yml; endoflife-date/endoflife.date@0118c3037fa9:products/istio.md",
  because: OUTSIDE_TABLE,
  rows: [
    ["1.17.x", "1.23.x - 1.26.x"],
    ["1.18.x", "1.24.x - 1.27.x"],
    ["1.19.x", "1.25.x - 1.28.x"],
    ["1.20.x", "1.25.x - 1.29.x"],
    ["1.21.x", "1.26.x - 1.29.x"],
    ["1.22.x || 1.23.x", "1.27.x - 1.30.x"],
    ["1.24.x", "1.28.x - 1.31.x"],
    ["1.25.x", "1.29.x - 1.32.x"],
  ],
};

const ISTIO: SupportTable = {
  ...ISTIO_OLD,
  source:
    "istio/istio.io@master:data/compatibility/supportStatus.yml; istio/istio.io@b65812cb3cc7:content/en/news/releases/1.31.x/announcing-1.31/_index.md",
  rows: [
    ["1.26.x || 1.27.x", "1.29.x - 1.33.x"],
    ["1.28.x", "1.30.x - 1.34.x"],
    ["1.29.x", "1.31.x - 1.35.x"],
    ["1.30.x || 1.31.x", "1.32.x - 1.36.x"],
  ],
};

/** The 1.13 row looks stale (it equals the 1.11 row), but it is what the project publishes. */
const CERT_MANAGER: SupportTable = {
  subject: "cert-manager",
  id: "compat-cert-manager-kubernetes",
  level: "block",
  source: "cert-manager/website@776e5db:content/docs/releases/README.md",
  because: OUTSIDE_TABLE,
  rows: [
    ["1.13.x", "1.21.x - 1.27.x"],
    ["1.14.x", "1.24.x - 1.31.x"],
    ["1.15.x || 1.16.x", "1.25.x - 1.32.x"],
    ["1.17.x || 1.18.x", "1.29.x - 1.33.x"],
    ["1.19.x", "1.31.x - 1.35.x"],
    ["1.20.x", "1.32.x - 1.35.x"],
    ["1.21.x", "1.33.x - 1.36.x"],
  ],
};

const ENVOY_GATEWAY: SupportTable = {
  subject: "envoy-gateway",
  id: "compat-envoy-gateway-kubernetes",
  level: "block",
  source: "envoyproxy/gateway@v1.9.0:site/content/en/news/releases/matrix.md",
  because: OUTSIDE_TABLE,
  rows: [
    ["1.4.x || 1.5.x || 1.6.x", "1.30.x - 1.33.x"],
    ["1.7.x || 1.8.x", "1.32.x - 1.35.x"],
    ["1.9.x", "1.33.x - 1.36.x"],
  ],
};

/** The vendored constant; the documentation of 1.17 to 1.19 names lower floors, which are wrong. */
const KNATIVE: SupportTable = {
  subject: "knative-serving",
  id: "compat-knative-serving-kubernetes",
  level: "block",
  source:
    "knative/serving@knative-v1.18.2:vendor/knative.dev/pkg/version/version.go; knative/serving@knative-v1.20.2:vendor/knative.dev/pkg/version/version.go; knative/pkg@release-1.22:version/version.go",
  because: "every Knative process checks the API server version at start and exits below it",
  rows: [
    ["1.11.x", ">=1.25.0"],
    ["1.12.x", ">=1.26.0"],
    ["1.13.x", ">=1.27.0"],
    [">=1.14.0 <1.17.0", ">=1.28.0"],
    ["1.17.x", ">=1.30.0"],
    ["1.18.x", ">=1.31.0"],
    ["1.19.x || 1.20.x", ">=1.32.0"],
    ["1.21.x", ">=1.33.0"],
    ["1.22.x || 1.23.x", ">=1.34.0"],
  ],
};

const GATEWAY_API: SupportTable = {
  subject: "gateway-api",
  id: "compat-gateway-api-kubernetes",
  level: "block",
  source: "kubernetes-sigs/gateway-api@v1.6.1:CHANGELOG/1.5-CHANGELOG.md; istio/istio#59637",
  because: "the TLSRoute CRD uses the CEL function isIP, which older API servers refuse",
  rows: [[">=1.5.0", ">=1.31.0"]],
};

const GATEWAY_API_CEL: SupportTable = {
  ...GATEWAY_API,
  source: "kubernetes-sigs/gateway-api@v1.1.0:CHANGELOG/1.0-CHANGELOG.md",
  because: "from 1.1 on only CEL rules in the CRDs validate, which are on by default from 1.25",
  rows: [[">=1.1.0 <1.5.0", ">=1.25.0"]],
};

const GATEWAY_API_TESTED: SupportTable = {
  ...GATEWAY_API,
  id: "compat-gateway-api-tested",
  level: "warn",
  source: "kubernetes-sigs/gateway-api@v1.6.1:.github/workflows/crd-validation.yml",
  because: "its project validates these CRDs on no other Kubernetes minor",
  rows: [
    ["1.4.x", "1.30.x - 1.34.x"],
    ["1.5.x", "1.31.x - 1.35.x"],
    ["1.6.x", "1.32.x - 1.36.x"],
  ],
};

/** Every table of Kubernetes minors, the source of the rules and of the pages. */
export const SUPPORT_TABLES: readonly SupportTable[] = [
  ISTIO_OLD,
  ISTIO,
  CERT_MANAGER,
  ENVOY_GATEWAY,
  KNATIVE,
  GATEWAY_API,
  GATEWAY_API_CEL,
  GATEWAY_API_TESTED,
];

function toRules(table: SupportTable): Rule[] {
  const { subject, id, level, source, because, rows } = table;
  return rows.map(([release, kubernetes]) => ({
    id,
    when: { [subject]: release },
    requires: { subject: "kubernetes", range: kubernetes },
    level,
    evidence: "upstream",
    source,
    because,
  }));
}

/** Kubernetes floors and ceilings of every layer but KServe itself (see kserve.ts). */
export const KUBERNETES_RULES: readonly Rule[] = SUPPORT_TABLES.flatMap(toRules);
