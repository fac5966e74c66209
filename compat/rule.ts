import type { Feature } from "../config/features.ts";
import type { IngressType, Mode } from "../config/schema.ts";
import type { Product } from "../versions/schema.ts";

/** What a rule can speak of: a product of the catalog, or the cluster itself. */
export type Subject = Product | "kubernetes";

/** How well a rule, or a set of versions, is founded: run by us, documented by its project, or named by users. */
export type Evidence = "tested" | "upstream" | "user-named";

/** All degrees of evidence, best first. */
export const EVIDENCE: readonly Evidence[] = ["tested", "upstream", "user-named"];

/**
 * One fact about versions that do or do not go together, as data. It fires when every range in `when` (and `modes`,
 * `ingress`, `features`, where given) matches and the version it speaks of lies outside `requires.range`.
 * Ranges are npm semver ranges; Kubernetes minors count as their `.0`.
 */
export interface Rule {
  /** Stable id, `compat-<subject>-<rule>`; several rows of one published table share it. */
  readonly id: string;
  readonly when: Readonly<Partial<Record<Subject, string>>>;
  readonly modes?: readonly Mode[];
  readonly ingress?: readonly IngressType[];
  /** Parts of KServe that the rule is about: any of them, asked for by the stack, is enough. */
  readonly features?: readonly Feature[];
  /** Versions for which the rule is silent although `when` matches: each range that matches alone is enough. */
  readonly except?: Readonly<Partial<Record<Subject, string>>>;
  /** What is allowed then. Absent: the combination itself is not allowed at all. */
  readonly requires?: { readonly subject: Subject; readonly range: string };
  readonly level: "block" | "warn";
  /**
   * Day (`YYYY-MM-DD`) on which the fact takes effect. From it on the rule has its own `level`; before it a `block`
   * is only a warning, and a `warn` says nothing.
   */
  readonly from?: string;
  readonly evidence: Evidence;
  /** Who says so: `owner/repo@ref:path` or `owner/repo#number`. */
  readonly source: string;
  /** What breaks otherwise, in one sentence. */
  readonly because: string;
}

/** What is checked: the versions that a stack (or one layer of it) brings together. */
export interface Selection {
  readonly versions: Readonly<Partial<Record<Subject, string>>>;
  readonly mode?: Mode | undefined;
  readonly ingress?: IngressType | undefined;
  /** Parts of KServe that the stack asks for; absent: none. */
  readonly features?: readonly Feature[] | undefined;
}

/** A rule that a stack breaks on purpose. */
export interface Acknowledgement {
  readonly rule: string;
  readonly reason: string;
}

/** Config key under which each subject's version is chosen. */
export const CONFIG_KEYS: Readonly<Record<Subject, string>> = {
  kubernetes: "kserve:kubernetes.version",
  "gateway-api": "kserve:gatewayApi.version",
  "cert-manager": "kserve:certManager.version",
  istio: "kserve:istio.version",
  "envoy-gateway": "kserve:envoyGateway.version",
  "knative-serving": "kserve:knative.version",
  "knative-operator": "kserve:knative.operatorVersion",
  "net-istio": "kserve:knative.operatorVersion",
  "net-kourier": "kserve:knative.operatorVersion",
  kserve: "kserve:kserve.version",
};

/** Names as their projects write them, for messages. */
export const DISPLAY_NAMES: Readonly<Record<Subject, string>> = {
  kubernetes: "Kubernetes",
  "gateway-api": "Gateway API",
  "cert-manager": "cert-manager",
  istio: "Istio",
  "envoy-gateway": "Envoy Gateway",
  "knative-serving": "Knative Serving",
  "knative-operator": "Knative operator",
  "net-istio": "net-istio",
  "net-kourier": "net-kourier",
  kserve: "KServe",
};
