import type { Rule, Subject } from "../rule.ts";

/** Supported Kubernetes minors of one product minor, as its project publishes them. */
interface SupportRow {
  readonly subject: Subject;
  readonly range: string;
  readonly kubernetes: string;
  readonly source: string;
  readonly because: string;
}

const CERT_MANAGER = "cert-manager/website@776e5db:content/docs/releases/README.md";
const ISTIO = "istio/istio.io@master:data/compatibility/supportStatus.yml";
const KNATIVE = "vendor/knative.dev/pkg/version/version.go";
const GATEWAY_API =
  "kubernetes-sigs/gateway-api@v1.6.1:CHANGELOG/1.5-CHANGELOG.md; istio/istio#59637";

const OUTSIDE_TABLE = "its project does not support this Kubernetes minor";
const EXITS = "every Knative process checks the API server version at start and exits below it";

const SUPPORT: readonly SupportRow[] = [
  {
    subject: "cert-manager",
    range: "1.18.x",
    kubernetes: "1.29.x - 1.33.x",
    source: CERT_MANAGER,
    because: OUTSIDE_TABLE,
  },
  {
    subject: "cert-manager",
    range: "1.19.x",
    kubernetes: "1.31.x - 1.35.x",
    source: CERT_MANAGER,
    because: OUTSIDE_TABLE,
  },
  {
    subject: "cert-manager",
    range: "1.20.x",
    kubernetes: "1.32.x - 1.35.x",
    source: CERT_MANAGER,
    because: OUTSIDE_TABLE,
  },
  {
    subject: "cert-manager",
    range: "1.21.x",
    kubernetes: "1.33.x - 1.36.x",
    source: CERT_MANAGER,
    because: OUTSIDE_TABLE,
  },
  {
    subject: "istio",
    range: "1.26.x",
    kubernetes: "1.29.x - 1.33.x",
    source: ISTIO,
    because: OUTSIDE_TABLE,
  },
  {
    subject: "istio",
    range: "1.27.x",
    kubernetes: "1.29.x - 1.33.x",
    source: ISTIO,
    because: OUTSIDE_TABLE,
  },
  {
    subject: "istio",
    range: "1.28.x",
    kubernetes: "1.30.x - 1.34.x",
    source: ISTIO,
    because: OUTSIDE_TABLE,
  },
  {
    subject: "knative-serving",
    range: "1.18.x",
    kubernetes: ">=1.31.0",
    source: `knative/serving@knative-v1.18.2:${KNATIVE}`,
    because: EXITS,
  },
  {
    subject: "knative-serving",
    range: "1.19.x || 1.20.x",
    kubernetes: ">=1.32.0",
    source: `knative/serving@knative-v1.20.2:${KNATIVE}`,
    because: EXITS,
  },
  {
    subject: "gateway-api",
    range: ">=1.5.0",
    kubernetes: ">=1.31.0",
    source: GATEWAY_API,
    because: "the TLSRoute CRD uses the CEL function isIP, which older API servers refuse",
  },
];

function toRule(row: SupportRow): Rule {
  return {
    id: `compat-${row.subject}-kubernetes`,
    when: { [row.subject]: row.range },
    requires: { subject: "kubernetes", range: row.kubernetes },
    level: "block",
    evidence: "upstream",
    source: row.source,
    because: row.because,
  };
}

/** Kubernetes floors and ceilings of every layer. */
export const KUBERNETES_RULES: readonly Rule[] = SUPPORT.map(toRule);
