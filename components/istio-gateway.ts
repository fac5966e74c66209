import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount.js";
import { Role } from "@pulumi/kubernetes/rbac/v1/role.js";
import { RoleBinding } from "@pulumi/kubernetes/rbac/v1/roleBinding.js";
import * as pulumi from "@pulumi/pulumi";
import { childOf, layerType } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { awaitReady, digestOf } from "./readiness/await-ready.ts";
import { SKIP_AWAIT } from "./transforms.ts";

const NAME = "istio-ingressgateway";
/** Knative's Gateways select `istio: ingressgateway` (knative-extensions/net-istio@knative-v1.20.2:config/202-gateway.yaml). */
const LABELS = { app: NAME, istio: "ingressgateway" };
/** Ports of the gateway as Knative expects them; 8081 and 8444 carry the cluster-local gateway. */
const PORTS = [
  { name: "status-port", port: 15021, targetPort: 15021 },
  { name: "http2", port: 80, targetPort: 8080 },
  { name: "https", port: 443, targetPort: 8443 },
];

/**
 * Istio's ingress gateway as plain resources, the same for every release: a Deployment whose image `auto` istiod's
 * injector replaces, and the Service that traffic enters through.
 */
export class IstioGateway extends pulumi.ComponentResource {
  constructor(name: string, args: LayerArgs, options: pulumi.ComponentResourceOptions) {
    super(layerType("IstioGateway"), name, {}, options);
    const child = childOf(this, args.providers);
    const metadata = { name: NAME, namespace: args.plan.settings.namespaces.istio, labels: LABELS };
    const account = this.#createAccount(name, args, { ...child });
    const spec = {
      ...replicas(args),
      selector: { matchLabels: LABELS },
      template: podTemplate(args),
    };
    const deployment = new Deployment(
      name,
      { metadata: { ...metadata, annotations: SKIP_AWAIT }, spec },
      { ...child, dependsOn: account },
    );
    this.#awaitProxy(name, args, { deployment, spec });
    new Service(
      name,
      {
        // An address may never come on clusters without load balancers; traffic is not what an install waits for.
        metadata: { ...metadata, annotations: SKIP_AWAIT },
        spec: {
          type: args.plan.settings.istio.gateway.serviceType,
          selector: LABELS,
          ports: PORTS,
        },
      },
      child,
    );
    this.registerOutputs({});
  }

  #awaitProxy(
    name: string,
    args: LayerArgs,
    { deployment, spec }: { readonly deployment: Deployment; readonly spec: object },
  ): void {
    const namespace = args.plan.settings.namespaces.istio;
    const contents = {
      workloads: [{ kind: "Deployment", namespace, name: NAME }],
      configurations: [],
    } as const;
    const part = {
      name: NAME,
      namespace,
      contents: () => Promise.resolve(contents),
      hasWorkloads: true,
      conditions: [],
    };
    awaitReady(name, part, {
      parent: this,
      connection: args.providers.connection,
      dependsOn: [deployment],
      of: { spec: digestOf(spec), istio: args.layer.version },
    });
  }

  /** The gateway reads TLS secrets of its namespace. */
  #createAccount(
    name: string,
    args: LayerArgs,
    child: pulumi.CustomResourceOptions,
  ): pulumi.Resource[] {
    const { istio } = args.plan.settings.namespaces;
    const metadata = { name: `${NAME}-service-account`, namespace: istio, labels: LABELS };
    const pullSecrets =
      args.plan.pullSecret === undefined
        ? {}
        : { imagePullSecrets: [{ name: args.plan.pullSecret }] };
    const account = new ServiceAccount(name, { metadata, ...pullSecrets }, child);
    const role = new Role(
      name,
      {
        metadata: { name: `${NAME}-sds`, namespace: istio },
        rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "watch", "list"] }],
      },
      child,
    );
    const binding = new RoleBinding(
      name,
      {
        metadata: { name: `${NAME}-sds`, namespace: istio },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: `${NAME}-sds` },
        subjects: [{ kind: "ServiceAccount", name: metadata.name, namespace: istio }],
      },
      child,
    );
    return [account, role, binding];
  }
}

function replicas(args: LayerArgs): { replicas: number } {
  return { replicas: args.plan.settings.istio.gateway.replicas };
}

/** Annotations and labels that make the injector fill in the proxy (istio/istio@1.28.10:manifests/charts/gateway/templates/deployment.yaml). */
function podTemplate(args: LayerArgs): object {
  const { resources } = args.plan.settings.istio.gateway;
  return {
    metadata: {
      annotations: { "inject.istio.io/templates": "gateway" },
      labels: { ...LABELS, "sidecar.istio.io/inject": "true" },
    },
    spec: {
      serviceAccountName: `${NAME}-service-account`,
      securityContext: { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] },
      containers: [
        {
          name: "istio-proxy",
          image: "auto",
          securityContext: {
            capabilities: { drop: ["ALL"] },
            allowPrivilegeEscalation: false,
            privileged: false,
            readOnlyRootFilesystem: true,
            runAsUser: 1337,
            runAsGroup: 1337,
            runAsNonRoot: true,
          },
          ports: [{ containerPort: 15090, protocol: "TCP", name: "http-envoy-prom" }],
          ...(resources === undefined ? {} : { resources }),
        },
      ],
    },
  };
}
