/** A registry or chart host that closes, or has closed. */
export interface ClosingHost {
  /** Stable id, acknowledged like a rule. */
  readonly id: string;
  /** What references begin with, without scheme. */
  readonly prefix: string;
  /** Day on which it closes, `YYYY-MM-DD`. */
  readonly closes: string;
  /** `block`: from that day on a stack that uses it is refused. `warn`: it is only told. */
  readonly level: "block" | "warn";
  /** Where the same things are instead. */
  readonly instead: string;
  readonly source: string;
}

const ISTIO_BLOG =
  "istio/istio.io@b2b22b52ef93:content/en/blog/2026/retirement-of-gcp/index.md; istio/istio#61467";
/** Istio announced "December 2026" with outages in December; the day after is the first on which nothing is left. */
const ISTIO_CLOSES = "2027-01-01";

/** Registries and chart hosts that close, with their day. Releases in the catalog avoid all of them but the last. */
export const CLOSING_HOSTS: readonly ClosingHost[] = [
  {
    id: "compat-istio-host-closing",
    prefix: "istio-release.storage.googleapis.com/",
    closes: ISTIO_CLOSES,
    level: "block",
    instead: "https://blob.istio.io/istio-release/charts",
    source: ISTIO_BLOG,
  },
  {
    id: "compat-istio-host-closing",
    prefix: "gcr.io/istio-release",
    closes: ISTIO_CLOSES,
    level: "block",
    instead: "docker.io/istio for images, oci://ghcr.io/istio/release/charts for charts",
    source: ISTIO_BLOG,
  },
  {
    id: "compat-istio-host-closing",
    prefix: "registry.istio.io/",
    closes: ISTIO_CLOSES,
    level: "block",
    instead: "docker.io/istio",
    source: ISTIO_BLOG,
  },
  {
    id: "compat-kserve-host-closed",
    prefix: "gcr.io/kubebuilder/",
    closes: "2026-03-06",
    // Only a warning: mirrors and nodes that hold the image go on working.
    level: "warn",
    instead:
      "quay.io/brancz/kube-rbac-proxy, as kserve.controller.rbacProxyImage in kserve:kserve.values",
    source: "kubealex/k8s-mediaserver-operator#115; mercari/spanner-autoscaler#212",
  },
];

/** The closing host that a reference (with or without a scheme) begins with. */
export function closingHost(reference: string): ClosingHost | undefined {
  const bare = reference.replace(/^[a-z]+:\/\//, "");
  return CLOSING_HOSTS.find((host) => bare.startsWith(host.prefix));
}
