import type { Rule } from "../rule.ts";

/** One line of the table on KServe's Serverless installation page: minors that it recommends together. */
interface PublishedRow {
  readonly kserve: string;
  readonly kubernetes: string;
  readonly istio: string;
  readonly knative: string;
  readonly source: string;
}

const PAGE = "admin/serverless/serverless.md";
const V16_TO_20 =
  "kserve/website@05b83a6c:versioned_docs/version-0.16/admin-guide/serverless/serverless.md; kserve/website@05b83a6c:versioned_docs/version-0.20/admin-guide/serverless/serverless.md";

/** The published rows of the releases in the catalog (the text of 0.16 to 0.20 is identical). */
export const PUBLISHED_ROWS: readonly PublishedRow[] = [
  {
    kserve: "0.11.x",
    kubernetes: "1.25.x",
    istio: "1.15.x || 1.16.x",
    knative: "1.4.x - 1.9.x",
    source: `kserve/website@0f34ac51:docs/${PAGE}`,
  },
  {
    kserve: "0.11.x",
    kubernetes: "1.26.x",
    istio: "1.17.x",
    knative: "1.7.x - 1.11.x",
    source: `kserve/website@0f34ac51:docs/${PAGE}`,
  },
  {
    kserve: "0.11.x",
    kubernetes: "1.27.x",
    istio: "1.17.x || 1.18.x",
    knative: "1.9.x - 1.11.x",
    source: `kserve/website@0f34ac51:docs/${PAGE}`,
  },
  {
    kserve: "0.12.x || 0.13.x",
    kubernetes: "1.27.x",
    istio: "1.18.x || 1.19.x",
    knative: "1.10.x || 1.11.x",
    source: `kserve/website@e27b5e17:docs/${PAGE}; kserve/website@bd140cb5:docs/${PAGE}`,
  },
  {
    kserve: "0.12.x || 0.13.x",
    kubernetes: "1.28.x",
    istio: "1.19.x || 1.20.x",
    knative: "1.11.x || >=1.12.4 <1.13.0",
    source: `kserve/website@e27b5e17:docs/${PAGE}; kserve/website@bd140cb5:docs/${PAGE}`,
  },
  {
    kserve: "0.12.x || 0.13.x",
    kubernetes: "1.29.x",
    istio: "1.20.x || 1.21.x",
    knative: ">=1.12.4 <1.13.0 || >=1.13.1 <1.14.0",
    source: `kserve/website@e27b5e17:docs/${PAGE}; kserve/website@bd140cb5:docs/${PAGE}`,
  },
  {
    kserve: "0.14.x",
    kubernetes: "1.28.x",
    istio: "1.22.x",
    knative: "1.15.x",
    source: `kserve/website@9c020609:docs/${PAGE}; kserve/website@d1ee1840:docs/${PAGE}`,
  },
  {
    kserve: "0.14.x",
    kubernetes: "1.29.x || 1.30.x",
    istio: "1.22.x || 1.23.x",
    knative: "1.15.x || 1.16.x",
    source: `kserve/website@9c020609:docs/${PAGE}; kserve/website@d1ee1840:docs/${PAGE}`,
  },
  {
    kserve: "0.15.x",
    kubernetes: "1.30.x",
    istio: "1.22.x || 1.23.x",
    knative: "1.15.x || 1.16.x",
    source: `kserve/website@304752ed:docs/${PAGE}`,
  },
  {
    kserve: "0.15.x",
    kubernetes: "1.31.x",
    istio: "1.24.x || 1.25.x",
    knative: "1.16.x || 1.17.x",
    source: `kserve/website@304752ed:docs/${PAGE}`,
  },
  {
    kserve: "0.15.x",
    kubernetes: "1.32.x",
    istio: "1.25.x || 1.26.x",
    knative: "1.17.x || 1.18.x",
    source: `kserve/website@304752ed:docs/${PAGE}`,
  },
  {
    kserve: ">=0.16.0 <0.21.0",
    kubernetes: "1.32.x || 1.33.x",
    istio: "1.27.x || 1.28.x",
    knative: "1.19.x || 1.20.x",
    source: V16_TO_20,
  },
  {
    kserve: ">=0.16.0 <0.21.0",
    kubernetes: "1.34.x",
    istio: "1.28.x",
    knative: "1.19.x || 1.20.x",
    source: V16_TO_20,
  },
];

const OUTSIDE_ROW =
  "the pair is in no row of KServe's published table, so nobody has said that it works";

/** Istio and Knative per KServe release and Kubernetes minor, as KServe publishes them. */
function rowRules(row: PublishedRow): Rule[] {
  const common = {
    level: "block",
    evidence: "upstream",
    source: row.source,
    because: OUTSIDE_ROW,
  } as const;
  const when = { kserve: row.kserve, kubernetes: row.kubernetes };
  return [
    {
      id: "compat-kserve-istio",
      when,
      ingress: ["istio"],
      requires: { subject: "istio", range: row.istio },
      ...common,
    },
    {
      id: "compat-kserve-knative",
      when,
      modes: ["Serverless"],
      requires: { subject: "knative-serving", range: row.knative },
      ...common,
    },
  ];
}

/** The same without knowing the Kubernetes version (or outside the table): any row of the release may fit. */
function unionRules(): Rule[] {
  return [...new Set(PUBLISHED_ROWS.map((row) => row.kserve))].flatMap((kserve) => {
    const rows = PUBLISHED_ROWS.filter((row) => row.kserve === kserve);
    const union = (key: "istio" | "knative" | "kubernetes"): string =>
      rows.map((row) => row[key]).join(" || ");
    const common = {
      level: "block",
      evidence: "upstream",
      source: rows[0]?.source ?? "",
      because: OUTSIDE_ROW,
    } as const;
    return [
      {
        id: "compat-kserve-istio",
        when: { kserve },
        ingress: ["istio"],
        requires: { subject: "istio", range: union("istio") },
        ...common,
      },
      {
        id: "compat-kserve-knative",
        when: { kserve },
        modes: ["Serverless"],
        requires: { subject: "knative-serving", range: union("knative") },
        ...common,
      },
      {
        id: "compat-kserve-kubernetes",
        when: { kserve },
        requires: { subject: "kubernetes", range: union("kubernetes") },
        ...common,
        because: "KServe publishes no row for this Kubernetes minor",
      },
    ] satisfies Rule[];
  });
}

/** What else KServe's releases ask of their neighbours. */
const OTHER: readonly Rule[] = [
  {
    id: "compat-kserve-cert-manager",
    when: { kserve: ">=0.14.0 <0.21.0" },
    requires: { subject: "cert-manager", range: ">=1.15.0" },
    level: "block",
    evidence: "upstream",
    source:
      "kserve/website@05b83a6c:versioned_docs/version-0.20/admin-guide/kubernetes-deployment.md; kserve/website@gh-pages:0.15/admin/kubernetes_deployment/index.html",
    because: "KServe documents this cert-manager as its minimum",
  },
  {
    id: "compat-kserve-gateway-api",
    when: { kserve: "0.15.x || 0.16.x" },
    requires: { subject: "gateway-api", range: "1.2.x" },
    level: "block",
    evidence: "upstream",
    source:
      "kserve/kserve@v0.15.2:go.mod; kserve/kserve@v0.16.0:go.mod; kserve/kserve@v0.16.0:hack/quick_install.sh",
    because: "these releases are built and installed with Gateway API 1.2.1",
  },
  {
    id: "compat-kserve-gateway-api",
    when: { kserve: "0.20.x" },
    requires: { subject: "gateway-api", range: ">=1.3.0 <1.6.0" },
    level: "block",
    evidence: "upstream",
    source:
      "kserve/kserve@v0.20.0:kserve-deps.env; kserve/kserve@v0.20.0:go.mod; kserve/website@05b83a6c:versioned_docs/version-0.20/admin-guide/kubernetes-deployment.md",
    because: "KServe 0.20 documents 1.3.0 as the minimum and is built with 1.5.1",
  },
];

export const KSERVE_RULES: readonly Rule[] = [
  ...PUBLISHED_ROWS.flatMap(rowRules),
  ...unionRules(),
  ...OTHER,
];
