import type { Rule } from "../rule.ts";

/** Releases that must not be installed at all. */
export const KNOWN_BAD_RULES: readonly Rule[] = [
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
