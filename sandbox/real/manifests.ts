import type { ApiClient } from "../cluster/api.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { CLUSTER_DOMAIN, DNS_SERVICE } from "./addresses.ts";

/** An object with its address on the API server. */
export interface Placed {
  readonly path: string;
  readonly body: object;
}

const SYSTEM = "kube-system";
const NAME = "coredns";
const ROLE = "system:coredns";
/** Other programs look for the DNS by this label and Service name. */
const LABELS = { "k8s-app": "kube-dns" };
const RBAC = "rbac.authorization.k8s.io";

/** Plugins: coredns/coredns@v1.13.1:plugin/kubernetes/README.md. No `forward`: there is nothing outside to ask. */
const COREFILE = `.:53 {
    errors
    health
    ready
    kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }
    prometheus :9153
    cache 5
    loadbalance
}
`;

/** Places the cluster's DNS, or brings it up to date; asking twice changes nothing. */
export async function placeDns(api: ApiClient, image: string): Promise<void> {
  for (const { path, body } of dnsObjects(image)) {
    const answer = await api.apply(path, body);
    if (answer.status === 200 || answer.status === 201) continue;
    throw sandboxError({
      code: "sandbox-real-dns",
      where: path,
      found: `the API server answers ${answer.status}: ${answer.body.slice(0, 400)}`,
      allowed: "200 or 201",
      fix: "run the same command again; an API server that ended meanwhile is started again",
    });
  }
}

/** The objects of the cluster's DNS. */
export function dnsObjects(image: string): Placed[] {
  const metadata = { name: NAME, namespace: SYSTEM };
  return [
    core("serviceaccounts", { kind: "ServiceAccount", metadata }),
    role({
      kind: "ClusterRole",
      metadata: { name: ROLE },
      rules: [
        rule("", ["endpoints", "services", "pods", "namespaces"]),
        rule("discovery.k8s.io", ["endpointslices"]),
      ],
    }),
    role({
      kind: "ClusterRoleBinding",
      metadata: { name: ROLE },
      roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: ROLE },
      subjects: [{ kind: "ServiceAccount", ...metadata }],
    }),
    core("configmaps", { kind: "ConfigMap", metadata, data: { Corefile: COREFILE } }),
    {
      path: `/apis/apps/v1/namespaces/${SYSTEM}/deployments/${NAME}`,
      body: deployment(image),
    },
    core("services", service()),
  ];
}

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

function core(resource: string, object: Named): Placed {
  return {
    path: `/api/v1/namespaces/${SYSTEM}/${resource}/${object.metadata.name}`,
    body: { apiVersion: "v1", ...object },
  };
}

function role(object: Named): Placed {
  return {
    path: `/apis/${RBAC}/v1/${object.kind.toLowerCase()}s/${object.metadata.name}`,
    body: { apiVersion: `${RBAC}/v1`, ...object },
  };
}

function rule(group: string, resources: readonly string[]) {
  return { apiGroups: [group], resources, verbs: ["list", "watch"] };
}

function deployment(image: string) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME, namespace: SYSTEM, labels: LABELS },
    spec: {
      replicas: 1,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          priorityClassName: "system-cluster-critical",
          serviceAccountName: NAME,
          dnsPolicy: "Default",
          containers: [container(image)],
          volumes: [{ name: "config", configMap: { name: NAME } }],
        },
      },
    },
  };
}

function container(image: string) {
  return {
    name: NAME,
    image,
    // It was imported; no registry has it.
    imagePullPolicy: "Never",
    args: ["-conf", "/etc/coredns/Corefile"],
    ports: ports("containerPort"),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
    },
    livenessProbe: { httpGet: { path: "/health", port: 8080 }, initialDelaySeconds: 10 },
    readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
    volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
  };
}

function service(): Named {
  return {
    kind: "Service",
    metadata: {
      name: "kube-dns",
      namespace: SYSTEM,
      labels: { ...LABELS, "kubernetes.io/name": "CoreDNS" },
    } as Named["metadata"],
    spec: { clusterIP: DNS_SERVICE, selector: LABELS, ports: ports("port") },
  };
}

function ports(field: "port" | "containerPort") {
  return [
    { name: "dns", [field]: 53, protocol: "UDP" },
    { name: "dns-tcp", [field]: 53, protocol: "TCP" },
  ];
}
