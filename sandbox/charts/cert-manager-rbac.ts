/** Roles and bindings of the cert-manager stand-in, named as upstream names them (templates/*-rbac.yaml). */
import { NAME, NAMESPACE, certManagerLabels, hookAnnotations } from "./cert-manager-names.ts";
import type { Doc, ReleaseOf } from "./model.ts";
import { binding, role, rule } from "./objects.ts";

type CertManager = ReleaseOf<"cert-manager">;

const ALL = "get,list,watch,create,update,patch,delete";
const GROUPS = "cert-manager.io,acme.cert-manager.io";

/** Cluster-wide rights of the controller, one role for each of its loops. */
const CONTROLLER_ROLES: Readonly<Record<string, readonly unknown[]>> = {
  "controller-issuers": [
    rule("cert-manager.io", "issuers,issuers/status"),
    rule("", "secrets", ALL),
  ],
  "controller-clusterissuers": [
    rule("cert-manager.io", "clusterissuers,clusterissuers/status"),
    rule("", "secrets", ALL),
  ],
  "controller-certificates": [
    rule("cert-manager.io", "certificates,certificaterequests", ALL),
    rule("", "secrets", ALL),
  ],
  "controller-orders": [
    rule("acme.cert-manager.io", "orders,challenges", ALL),
    rule("", "secrets"),
  ],
  "controller-challenges": [
    rule("acme.cert-manager.io", "challenges", ALL),
    rule("", "pods,services", ALL),
  ],
  "controller-ingress-shim": [
    rule("cert-manager.io", "certificates", ALL),
    rule("networking.k8s.io", "ingresses"),
    rule("gateway.networking.k8s.io", "gateways,httproutes"),
  ],
  "controller-approve:cert-manager-io": [
    {
      ...(rule("cert-manager.io", "signers", "approve") as object),
      resourceNames: ["issuers.cert-manager.io/*", "clusterissuers.cert-manager.io/*"],
    },
  ],
  "controller-certificatesigningrequests": [
    rule("certificates.k8s.io", "certificatesigningrequests", "get,list,watch,update"),
  ],
};

/** Roles for people; they aggregate into the built-in view, edit and admin roles. */
function userRoles(release: CertManager): Doc[] {
  const labels = certManagerLabels(release, "controller");
  const aggregate = (names: string): Record<string, string> =>
    Object.fromEntries(
      names.split(",").map((name) => [`rbac.authorization.k8s.io/aggregate-to-${name}`, "true"]),
    );
  const viewing = [rule(GROUPS, "*")];
  return [
    role(
      { name: `${NAME}-cluster-view`, labels: { ...labels, ...aggregate("cluster-reader") } },
      viewing,
    ),
    role(
      {
        name: `${NAME}-view`,
        labels: { ...labels, ...aggregate("view,edit,admin,cluster-reader") },
      },
      viewing,
    ),
    role({ name: `${NAME}-edit`, labels: { ...labels, ...aggregate("edit,admin") } }, [
      rule(GROUPS, "*", "create,delete,patch,update"),
    ]),
  ].map((object) => ({ object }));
}

interface Grant {
  readonly component: string;
  readonly suffix: string;
  readonly account: string;
  readonly namespace?: string;
  readonly annotations?: Record<string, string>;
}

/** A role and the binding of the same name. */
function grant(release: CertManager, g: Grant, rules: readonly unknown[]): Doc[] {
  const meta = {
    name: `${NAME}${g.suffix}`,
    ...(g.namespace === undefined ? {} : { namespace: g.namespace }),
    labels: certManagerLabels(release, g.component),
    ...(g.annotations === undefined ? {} : { annotations: g.annotations }),
  };
  const account = { name: `${NAME}${g.account}`, namespace: NAMESPACE };
  return [role(meta, rules), binding(meta, meta.name, account)].map((object) => ({ object }));
}

/** Everything under `rbac.authorization.k8s.io`; leader election lives in kube-system by default. */
export function certManagerRbac(release: CertManager): Doc[] {
  const leases = [rule("coordination.k8s.io", "leases", "create,get,update,patch")];
  const leader = "{{ $leader }}";
  const controller = Object.entries(CONTROLLER_ROLES).flatMap(([suffix, rules]) =>
    grant(release, { component: "controller", suffix: `-${suffix}`, account: "" }, rules),
  );
  const injected = rule(
    "apiextensions.k8s.io,admissionregistration.k8s.io,apiregistration.k8s.io",
    "*",
    "get,list,watch,update,patch",
  );
  const check = grant(
    release,
    {
      component: "startupapicheck",
      suffix: "-startupapicheck:create-cert",
      account: "-startupapicheck",
      namespace: NAMESPACE,
      annotations: hookAnnotations(-5),
    },
    [rule("cert-manager.io", "certificaterequests", "create")],
  ).map((doc) => ({ ...doc, when: ".Values.startupapicheck.enabled" }));
  return [
    ...controller,
    ...userRoles(release),
    ...grant(release, { component: "cainjector", suffix: "-cainjector", account: "-cainjector" }, [
      rule("cert-manager.io", "certificates"),
      injected,
    ]),
    ...grant(
      release,
      { component: "webhook", suffix: "-webhook:subjectaccessreviews", account: "-webhook" },
      [rule("authorization.k8s.io", "subjectaccessreviews", "create")],
    ),
    ...grant(
      release,
      {
        component: "cainjector",
        suffix: "-cainjector:leaderelection",
        account: "-cainjector",
        namespace: leader,
      },
      leases,
    ),
    ...grant(
      release,
      { component: "controller", suffix: ":leaderelection", account: "", namespace: leader },
      leases,
    ),
    ...grant(
      release,
      {
        component: "webhook",
        suffix: "-webhook:dynamic-serving",
        account: "-webhook",
        namespace: NAMESPACE,
      },
      [rule("", "secrets", "get,list,watch,update,create")],
    ),
    ...check,
  ];
}
