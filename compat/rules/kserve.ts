import type { Rule } from "../rule.ts";
import { PUBLISHED_ROWS } from "./kserve-rows.ts";
import type { PublishedRow } from "./kserve-rows.ts";

const V20_PAGE =
  "kserve/website@05b83a6c:versioned_docs/version-0.20/admin-guide/serverless/serverless.md";

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
function unionRules(all: readonly PublishedRow[]): Rule[] {
  return [...new Set(all.map((row) => row.kserve))].flatMap((kserve) => {
    const rows = all.filter((row) => row.kserve === kserve);
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
        modes: ["Serverless"],
        requires: { subject: "kubernetes", range: union("kubernetes") },
        ...common,
        because: "KServe publishes no row for this Kubernetes minor",
      },
    ] satisfies Rule[];
  });
}

/** Rules of a set of published rows: of each row, and of all rows of a release together. */
export function rulesOfRows(rows: readonly PublishedRow[]): Rule[] {
  return [...rows.flatMap(rowRules), ...unionRules(rows)];
}

/** The rule for releases outside the `covered` ranges, of which nobody has published a row: none passes by silence. */
export function noRowRule(covered: readonly string[]): Rule {
  return {
    id: "compat-kserve-no-row",
    when: { kserve: "*" },
    except: { kserve: covered.join(" || ") },
    level: "block",
    evidence: "upstream",
    source: V20_PAGE,
    because:
      "KServe publishes no row of versions for this release, so no set around it is known to fit",
  };
}

/** Lowest version that a page on installing KServe without Serverless names: KServe range, lowest version, source. */
type Floor = readonly [kserve: string, lowest: string, source: string];

const V20_DEPLOYMENT =
  "kserve/website@05b83a6c:versioned_docs/version-0.20/admin-guide/kubernetes-deployment.md";
const V15_DEPLOYMENT = "kserve/website@gh-pages:0.15/admin/kubernetes_deployment/index.html";
const V14_DEPLOYMENT = "kserve/website@gh-pages:0.14/admin/kubernetes_deployment/index.html";
const V11_DEPLOYMENT = "kserve/website@gh-pages:0.11/admin/kubernetes_deployment/index.html";

const KUBERNETES_FLOORS: readonly Floor[] = [
  ["0.11.x", "1.22.0", V11_DEPLOYMENT],
  [
    "0.12.x || 0.13.x",
    "1.22.0",
    "kserve/website@gh-pages:0.13/admin/kubernetes_deployment/index.html",
  ],
  ["0.14.x", "1.28.0", V14_DEPLOYMENT],
  ["0.15.x", "1.30.0", V15_DEPLOYMENT],
  [">=0.16.0 <0.21.0", "1.32.0", V20_DEPLOYMENT],
];

const CERT_MANAGER_FLOORS: readonly Floor[] = [
  ["0.11.x", "1.9.0", V11_DEPLOYMENT],
  ["0.12.x || 0.13.x", "1.9.0", "kserve/website@e27b5e17:docs/admin/serverless/serverless.md"],
  ["0.14.x", "1.15.0", V14_DEPLOYMENT],
  ["0.15.x", "1.15.0", V15_DEPLOYMENT],
  [">=0.16.0 <0.21.0", "1.15.0", V20_DEPLOYMENT],
];

/** Without Knative no row applies, only the lowest Kubernetes version that the installation page names. */
const FLOORS: readonly Rule[] = [
  ...KUBERNETES_FLOORS.map(([kserve, lowest, source]): Rule => ({
    id: "compat-kserve-kubernetes",
    when: { kserve },
    modes: ["RawDeployment", "ModelMesh"],
    requires: { subject: "kubernetes", range: `>=${lowest}` },
    level: "block",
    evidence: "upstream",
    source,
    because: "KServe documents this Kubernetes version as its minimum",
  })),
  ...CERT_MANAGER_FLOORS.map(([kserve, lowest, source]): Rule => ({
    id: "compat-kserve-cert-manager",
    when: { kserve },
    requires: { subject: "cert-manager", range: `>=${lowest}` },
    level: "block",
    evidence: "upstream",
    source,
    because: "KServe documents this cert-manager as its minimum",
  })),
];

/** Gateway API bundles that releases are built and documented with; KServe up to 0.14 does not use them. */
const GATEWAY_API: readonly Rule[] = [
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
    when: { kserve: ">=0.17.0 <0.20.0" },
    requires: { subject: "gateway-api", range: ">=1.3.0 <1.5.0" },
    level: "block",
    evidence: "upstream",
    source:
      "kserve/kserve@v0.19.0:kserve-deps.env; kserve/kserve@v0.19.0:go.mod; kserve/website@05b83a6c:versioned_docs/version-0.19/admin-guide/kubernetes-deployment.md",
    because: "these releases document 1.3.0 as the minimum and are built and installed with 1.4",
  },
  {
    id: "compat-kserve-gateway-api",
    when: { kserve: "0.20.x" },
    requires: { subject: "gateway-api", range: ">=1.3.0 <1.6.0" },
    level: "block",
    evidence: "upstream",
    source: `kserve/kserve@v0.20.0:kserve-deps.env; kserve/kserve@v0.20.0:go.mod; ${V20_DEPLOYMENT}`,
    because: "KServe 0.20 documents 1.3.0 as the minimum and is built with 1.5.1",
  },
];

const LLM_DOCS = "kserve/website@a9abf840:docs/admin-guide/kubernetes-deployment-llmisvc.md";

/** What LLMInferenceService asks for beyond the rest of KServe. */
const LLM: readonly Rule[] = [
  {
    id: "compat-kserve-llm-kubernetes",
    when: { kserve: ">=0.16.0" },
    features: ["llm"],
    requires: { subject: "kubernetes", range: ">=1.29.0" },
    level: "block",
    evidence: "upstream",
    source:
      "kserve/kserve@v0.16.0:config/llmisvcconfig; kserve/kserve@v0.20.0:config/llmisvcconfig; kubernetes/kubernetes@v1.29.0:pkg/features/kube_features.go",
    because: "the presets use sidecar containers, which Kubernetes has on by default from 1.29",
  },
  {
    id: "compat-kserve-llm-cert-manager",
    when: { kserve: ">=0.16.0" },
    features: ["llm"],
    requires: { subject: "cert-manager", range: ">=1.18.0" },
    level: "block",
    evidence: "upstream",
    source: LLM_DOCS,
    because: "KServe documents this cert-manager as the minimum for LLMInferenceService",
  },
];

/** What KServe's releases ask of Kubernetes and of their neighbours. */
export const KSERVE_RULES: readonly Rule[] = [
  ...rulesOfRows(PUBLISHED_ROWS),
  noRowRule(PUBLISHED_ROWS.map((row) => row.kserve)),
  ...FLOORS,
  ...GATEWAY_API,
  ...LLM,
];
