import semver from "semver";
import type { Problem } from "../problems/problem.ts";
import { satisfies } from "./check.ts";
import { CONFIG_KEYS, DISPLAY_NAMES } from "./rule.ts";
import type { Selection, Subject } from "./rule.ts";

/** A step from one release of a product to another that its project does not allow, or warns of. */
export interface UpgradeRule {
  /** Stable id, `compat-<subject>-upgrade…`. */
  readonly id: string;
  readonly subject: Subject;
  /** Most minors that one step may cross, either way. Absent: the step from `from` to `to` itself is meant. */
  readonly minors?: number;
  readonly from?: string;
  readonly to?: string;
  readonly level: "block" | "warn";
  readonly source: string;
  readonly because: string;
}

/** Steps between releases. What else an upgrade needs is in docs/compatibility.md. */
export const UPGRADE_RULES: readonly UpgradeRule[] = [
  {
    id: "compat-knative-serving-upgrade-step",
    subject: "knative-serving",
    minors: 1,
    level: "block",
    source:
      "knative/operator@knative-v1.23.0:pkg/reconciler/common/releases.go; knative/serving#16487",
    because: "the operator refuses to move Serving by more than one minor, up or down",
  },
  {
    id: "compat-istio-upgrade-step",
    subject: "istio",
    minors: 1,
    level: "block",
    source:
      "istio/istio.io@a6ad2a706c81:content/en/docs/releases/supported-releases/index.md; istio/istio.io@0f02a0cac242:content/en/docs/setup/upgrade/in-place/index.md",
    because:
      "Istio supports upgrades in place by one minor; proxies may lag one minor behind istiod",
  },
  {
    id: "compat-envoy-gateway-upgrade-lua",
    subject: "envoy-gateway",
    from: "<1.9.0",
    to: ">=1.9.0",
    level: "warn",
    source: "envoyproxy/gateway@v1.9.0:release-notes/v1.9.0.yaml; rwlove/home-ops#13623",
    because:
      "Lua in EnvoyExtensionPolicy is off from 1.9 on: routes with such a policy answer 500 unless config.envoyGateway.extensionApis.enableLua is set",
  },
  {
    id: "compat-cert-manager-upgrade-step",
    subject: "cert-manager",
    minors: 1,
    level: "warn",
    source: "cert-manager/website@776e5db:content/docs/installation/upgrade.md",
    because: "cert-manager asks for one minor at a time, always to its newest patch",
  },
  {
    id: "compat-gateway-api-upgrade-v1alpha2",
    subject: "gateway-api",
    from: "<1.2.0",
    to: ">=1.2.0",
    level: "warn",
    source: "kubernetes-sigs/gateway-api@v1.2.1:CHANGELOG/1.2-CHANGELOG.md",
    because:
      "status.storedVersions of grpcroutes and referencegrants must not hold v1alpha2 any more, or the CRDs are refused",
  },
  {
    id: "compat-gateway-api-upgrade-guard",
    subject: "gateway-api",
    from: ">=1.5.0",
    to: "<1.5.0",
    level: "block",
    source:
      "kubernetes-sigs/gateway-api@v1.5.1:config/crd/standard/gateway.networking.k8s.io_vap_safeupgrades.yaml",
    because: "the policy safe-upgrades, installed with 1.5, denies older CRDs until it is deleted",
  },
  {
    id: "compat-kserve-upgrade-modelmesh",
    subject: "kserve",
    from: "<0.15.0",
    to: ">=0.15.0",
    level: "warn",
    source: "kserve/kserve#4243; kserve/kserve@v0.15.0:charts",
    because: "ModelMesh and the CRD predictors leave the charts, with every object of that kind",
  },
  {
    id: "compat-kserve-upgrade-mode-names",
    subject: "kserve",
    from: "0.15.1 || 0.15.2",
    to: ">=0.16.0 <0.19.0",
    level: "warn",
    source: "kserve/kserve#4798; kserve/kserve#4896; kserve/kserve#5427",
    because:
      "services recorded under the old mode names can no longer be changed or deleted; 0.19 converts them",
  },
  {
    id: "compat-kserve-upgrade-charts",
    subject: "kserve",
    from: "<0.17.0",
    to: ">=0.17.0",
    level: "warn",
    source:
      "kserve/website@05b83a6c:docs/install/upgrade-guide.md; kserve/kserve#5505; kubeflow/community-distribution#3420",
    because:
      "charts, runtimes and CRDs change owner: delete ClusterRoleBinding llmisvc-manager-rolebinding first, rebuild kserve:kserve.values",
  },
];

/**
 * What stands against moving a running installation from one set to another. Pure; it knows the two sets, nothing of
 * the cluster. Products that only one of them has are installs or removals, not upgrades.
 */
export function checkUpgrade(
  from: Selection["versions"],
  to: Selection["versions"],
  rules: readonly UpgradeRule[] = UPGRADE_RULES,
): Problem[] {
  return rules.flatMap((rule) => {
    const [before, after] = [from[rule.subject], to[rule.subject]];
    if (before === undefined || after === undefined || !forbids(rule, before, after)) return [];
    return [describe(rule, before, after)];
  });
}

function forbids(rule: UpgradeRule, before: string, after: string): boolean {
  if (rule.minors !== undefined) return Math.abs(minorsBetween(before, after)) > rule.minors;
  return satisfies(before, rule.from ?? "*") && satisfies(after, rule.to ?? "*");
}

function minorsBetween(before: string, after: string): number {
  return (semver.coerce(after)?.minor ?? 0) - (semver.coerce(before)?.minor ?? 0);
}

function describe(rule: UpgradeRule, before: string, after: string): Problem {
  const name = DISPLAY_NAMES[rule.subject];
  return {
    code: rule.id,
    level: rule.level,
    where: CONFIG_KEYS[rule.subject],
    found: `${name} ${before} to ${after}`,
    allowed: rule.because,
    source: rule.source,
    fix: fix(rule, before, after),
  };
}

function fix(rule: UpgradeRule, before: string, after: string): string {
  const key = CONFIG_KEYS[rule.subject];
  if (rule.minors === undefined)
    return `read ${rule.source.split(";")[0] ?? ""} before the first pulumi up`;
  const from = semver.coerce(before);
  const step = minorsBetween(before, after) > 0 ? 1 : -1;
  const next = `${String(from?.major ?? 1)}.${String((from?.minor ?? 0) + step)}`;
  return `go through every minor: first ${key} with a release of ${next}, pulumi up, then the next`;
}
