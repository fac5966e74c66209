/** Stand-in for the Gateway API bundle: definitions with the annotations that readers check, and its upgrade guard. */
import { crd } from "./objects.ts";
import type { KubeObject, ReleaseOf, StandIns } from "./model.ts";

const GROUP = "gateway.networking.k8s.io";
/** istiod ignores, and the upgrade guard denies, definitions without it. */
const BUNDLE = `${GROUP}/bundle-version`;
const CHANNEL = `${GROUP}/channel`;

type GatewayApi = ReleaseOf<"gateway-api">;

function annotations(release: GatewayApi): Record<string, string> {
  return {
    "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api",
    [BUNDLE]: `v${release.version}`,
    [CHANNEL]: "standard",
  };
}

/** The guard denies bundles of a lower minor and the experimental channel over standard definitions. */
function guardRules(minor: number): unknown[] {
  const annotation = (of: string, key: string): string =>
    `${of}.metadata.?annotations[?'${key}'].orValue('')`;
  const inGroup = `object.spec.group == '${GROUP}'`;
  return [
    {
      expression: `!(${inGroup}) || !${annotation("object", BUNDLE)}.matches('^$|^v0[.]|^v1[.][0-${minor - 1}]([.]|$)')`,
      message: `Installing CRDs with version before v1.${minor}.0 is prohibited by default.`,
      reason: "Invalid",
    },
    {
      expression: `!(${inGroup}) || oldObject == null || ${annotation("object", CHANNEL)} != 'experimental' || ${annotation("oldObject", CHANNEL)} == 'experimental'`,
      message:
        "Installing experimental CRDs on top of standard channel CRDs is prohibited by default.",
      reason: "Invalid",
    },
  ];
}

function guard(name: string, release: GatewayApi): KubeObject[] {
  const minor = Number(release.version.split(".")[1]);
  const metadata = {
    name,
    annotations: { [BUNDLE]: `v${release.version}`, [CHANNEL]: "standard" },
  };
  const apiVersion = "admissionregistration.k8s.io/v1";
  const resourceRules = [
    {
      apiGroups: ["apiextensions.k8s.io"],
      apiVersions: ["v1"],
      operations: ["CREATE", "UPDATE"],
      resources: ["customresourcedefinitions"],
    },
  ];
  return [
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicy",
      metadata,
      spec: {
        failurePolicy: "Fail",
        matchConstraints: { resourceRules },
        validations: guardRules(minor),
      },
    },
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata,
      spec: { policyName: name, validationActions: ["Deny"] },
    },
  ];
}

/** The manifest that stands in for `standard-install.yaml`. */
export function gatewayApiStandIns(release: GatewayApi): StandIns {
  const definitions = (release.crds?.items ?? []).map((item) =>
    crd(item, { annotations: annotations(release) }),
  );
  const guards = (release.policies?.names ?? []).flatMap((name) => guard(name, release));
  return {
    charts: [],
    manifests: release.manifests.map(({ file }) => ({
      file,
      objects: [...definitions, ...guards],
    })),
  };
}
