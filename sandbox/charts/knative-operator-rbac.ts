/** Roles and bindings of the Knative operator stand-in. */
import type { Doc, ReleaseOf } from "./model.ts";
import { RELEASE_NAMESPACE, binding, role, rule } from "./objects.ts";

type Operator = ReleaseOf<"knative-operator">;

const ALL = "get,list,watch,create,update,patch,delete";

/** Labels of every object of the chart. */
export function labelsOf(release: Operator): Record<string, string> {
  return {
    "app.kubernetes.io/name": "knative-operator",
    "app.kubernetes.io/version": release.version,
  };
}

/**
 * Aggregated roles: the chart sends `rules: []`, the cluster fills them in, and a naive second apply sees drift
 * (knative/operator:config/rbac/clusterrole_aggregated.yaml).
 */
function aggregatedRoles(release: Operator): Doc[] {
  const account = { name: "knative-operator", namespace: RELEASE_NAMESPACE };
  return ["serving", "eventing"].flatMap((part) => {
    const selectors = {
      [`knative-${part}-operator-aggregated`]: {
        key: `${part}.knative.dev/release`,
        operator: "Exists",
      },
      [`knative-${part}-operator-aggregated-stable`]: {
        key: "app.kubernetes.io/name",
        operator: "In",
        values: [`knative-${part}`],
      },
    };
    return Object.entries(selectors).flatMap(([name, expression]) => {
      const meta = { name, labels: labelsOf(release) };
      const aggregationRule = { clusterRoleSelectors: [{ matchExpressions: [expression] }] };
      return [
        { object: role(meta, [], { aggregationRule }) },
        { object: binding(meta, name, account) },
      ];
    });
  });
}

function ownRoles(release: Operator): Doc[] {
  const labels = labelsOf(release);
  const namespace = RELEASE_NAMESPACE;
  const rules = [
    rule("operator.knative.dev", "*", "*"),
    rule(
      "rbac.authorization.k8s.io",
      "clusterroles,roles,clusterrolebindings,rolebindings",
      `${ALL},escalate,bind`,
    ),
    rule(",apps,batch,policy,autoscaling", "*", ALL),
    rule(
      "apiextensions.k8s.io,admissionregistration.k8s.io,coordination.k8s.io,networking.istio.io",
      "*",
      ALL,
    ),
  ];
  const operator = { name: "knative-operator", namespace };
  const webhook = { name: "operator-webhook", namespace };
  const cluster = ["knative-serving-operator", "knative-eventing-operator"].flatMap((name) => [
    role({ name, labels }, rules),
    binding({ name, labels }, name, operator),
  ]);
  return [
    ...cluster,
    role({ name: "knative-operator-webhook", labels }, [
      rule("apiextensions.k8s.io", "customresourcedefinitions", ALL),
    ]),
    binding({ name: "operator-webhook", labels }, "knative-operator-webhook", webhook),
    role({ name: "knative-operator-webhook", namespace, labels }, [
      rule("", "secrets", "get,create,update,list,watch,patch"),
    ]),
    binding({ name: "operator-webhook", namespace, labels }, "knative-operator-webhook", webhook),
  ].map((object) => ({ object }));
}

/** All roles of the chart, the aggregated ones first. */
export function knativeOperatorRbac(release: Operator): Doc[] {
  return [...aggregatedRoles(release), ...ownRoles(release)];
}
