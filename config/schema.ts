/**
 * The whole configuration surface of a stack, as one strict schema: keys of the namespace `kserve:` in a stack file.
 * A stack file holds choices; whatever is left out comes from the catalog (`versions/`) or from the defaults here.
 * `docs/configuration.md` is written from these descriptions.
 */
import { z } from "zod";
import {
  dnsLabel,
  dnsName,
  gatewayPods,
  kubernetesVersion,
  pem,
  quantity,
  resources,
  values,
  version,
  workload,
} from "./fields.ts";
import { chartsSchema, harborSchema, registrySchema } from "./registry.ts";
import { features } from "./features.ts";

/** Namespace of all our keys in a stack file. */
export const NAMESPACE = "kserve";

export const MODES = ["Serverless", "RawDeployment", "ModelMesh"] as const;
/** KServe's deployment mode in the words users know; the spelling of each release is catalog data. */
export type Mode = (typeof MODES)[number];

export const INGRESS_TYPES = [
  "istio",
  "kourier",
  "envoy",
  "gateway-class",
  "ingress-class",
  "none",
] as const;
/** What carries traffic to inference services. */
export type IngressType = (typeof INGRESS_TYPES)[number];

const kubernetes = z.strictObject({
  version: kubernetesVersion
    .optional()
    .describe("Kubernetes version of the cluster; asked from the API server when left out"),
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe("Path of a kubeconfig file; left out: KUBECONFIG or ~/.kube/config"),
  context: z
    .string()
    .min(1)
    .optional()
    .describe("Context in the kubeconfig; left out: its current context"),
});

const ingress = z.strictObject({
  type: z
    .enum(INGRESS_TYPES)
    .optional()
    .describe(
      "istio: installed here (default of Serverless); kourier: Knative's own (Serverless only); envoy: Envoy Gateway, installed " +
        "here (RawDeployment, from KServe 0.15 on); gateway-class: an existing Gateway API implementation (RawDeployment, its default from KServe 0.15 on); ingress-class: Kubernetes Ingress (RawDeployment, " +
        "its default before); none: no ingress objects (RawDeployment, ModelMesh)",
    ),
  className: dnsName
    .optional()
    .describe(
      'GatewayClass or IngressClass to use; default "envoy" for envoy and gateway-class, "nginx" for ingress-class',
    ),
  controllerName: z
    .string()
    .regex(
      /^[^/\s]+\/\S+$/,
      'a controller name with a domain prefix, like "gateway.envoyproxy.io/gatewayclass-controller"',
    )
    .optional()
    .describe(
      "Set to let this program create the GatewayClass for that controller; with envoy the name under which Envoy Gateway works",
    ),
  domain: dnsName
    .default("example.com")
    .describe("Domain under which inference services get their hosts"),
  urlScheme: z
    .enum(["http", "https"])
    .default("http")
    .describe("Scheme of the addresses that KServe writes into the status of its services"),
  gateway: z
    .boolean()
    .optional()
    .describe("Create the Gateway kserve-ingress-gateway; default true where a class is known"),
  issuer: z
    .strictObject({
      name: dnsName,
      kind: z.enum(["Issuer", "ClusterIssuer"]).default("ClusterIssuer"),
    })
    .optional()
    .describe(
      "cert-manager issuer of the gateway's certificate; left out: a self-signed issuer made here",
    ),
});

const namespaces = z.strictObject({
  create: z
    .boolean()
    .default(true)
    .describe(
      "Create the namespaces; false when someone else owns them (they must exist, and are never deleted)",
    ),
  certManager: dnsLabel.default("cert-manager").describe("Where cert-manager runs"),
  istio: dnsLabel.default("istio-system").describe("Where istiod and the ingress gateway run"),
  envoyGateway: dnsLabel
    .default("envoy-gateway-system")
    .describe("Where Envoy Gateway and its proxies run"),
  knativeOperator: dnsLabel.default("knative-operator").describe("Where the Knative operator runs"),
  knativeServing: dnsLabel.default("knative-serving").describe("Where Knative Serving runs"),
  kserve: dnsLabel
    .default("kserve")
    .describe("Where KServe runs; from 0.17 on LLMInferenceService works in kserve only"),
});

const FROM_SET = "Release to install; default: that of the set around kserve:kserve.version";

const components = {
  gatewayApi: z.strictObject({
    version: version.optional().describe(FROM_SET),
    deleteCrdsOnDestroy: z
      .boolean()
      .default(false)
      .describe(
        "Also delete the CRDs, and with them every Gateway and route of the cluster; destroy then needs --run-program",
      ),
  }),
  certManager: z.strictObject({
    version: version.optional().describe(FROM_SET),
    deleteCrdsOnDestroy: z
      .boolean()
      .default(false)
      .describe(
        "Also delete the CRDs, and with them every Certificate of the cluster; destroy then needs --run-program",
      ),
    ...workload,
  }),
  istio: z.strictObject({
    version: version.optional().describe(FROM_SET),
    ...workload,
    gateway: gatewayPods.prefault({}),
  }),
  envoyGateway: z.strictObject({
    version: version.optional().describe(FROM_SET),
    ...workload,
    proxy: gatewayPods.prefault({}).describe("The proxies that carry the traffic"),
  }),
  knative: z.strictObject({
    version: version
      .optional()
      .describe("Knative Serving version; default: that of the set around kserve:kserve.version"),
    operatorVersion: version
      .optional()
      .describe(
        "Knative operator version; default: the newest in the catalog that carries the Serving version and is of its minor",
      ),
    ...workload,
    autoscaling: z
      .strictObject({
        minScale: z
          .int()
          .min(0)
          .optional()
          .describe(
            "For Knative Services that are not KServe's; an InferenceService says minReplicas itself, and gets 1 where it does not",
          ),
        maxScale: z.int().min(0).optional().describe("0 means no limit"),
        target: z.int().min(1).optional().describe("Concurrent requests per replica"),
      })
      .prefault({})
      .describe("Cluster-wide defaults, written to config-autoscaler"),
  }),
  kserve: z.strictObject({
    version: version
      .optional()
      .describe("KServe release, which decides about all others; default: that of the default set"),
    resources: resources.optional(),
    storageCa: z
      .union([z.literal("none"), pem], { error: "PEM certificates, or none" })
      .optional()
      .describe(
        "Certificates that KServe's storage initializer trusts (S3 and https stores; from KServe 0.12); default: " +
          "registry.ca. For S3 they replace the public ones, so name all that are needed, or none",
      ),
    values: values.default({}),
  }),
};

const destroy = z.strictObject({
  withServices: z
    .boolean()
    .default(false)
    .describe(
      "Delete what others have made and the platform serves (InferenceServices, Knative Services, routes …) before the platform itself, " +
        "and wait until it is gone; false: pulumi destroy names it and stops",
    ),
});

const acknowledgement = z.strictObject({
  rule: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)+$/, "a rule id, like compat-kserve-kubernetes"),
  reason: z.string().min(10, "a reason of at least ten characters"),
});

/** All keys of the namespace `kserve:`. */
export const settingsSchema = z.strictObject({
  mode: z
    .enum(MODES)
    .describe(
      "KServe's default deployment mode; ModelMesh exists in KServe 0.11 to 0.14 only and brings no etcd of its own",
    ),
  kubernetes: kubernetes.prefault({}),
  ingress: ingress.prefault({}),
  namespaces: namespaces.prefault({}),
  registry: registrySchema.optional(),
  harbor: harborSchema
    .optional()
    .describe(
      "Harbor as code, for `platform harbor`: projects, a robot account, retention. Off unless set; pulumi never acts on it",
    ),
  charts: chartsSchema.prefault({ source: "upstream" }),
  storage: z
    .strictObject({ className: dnsName, size: quantity })
    .optional()
    .describe(
      "A PersistentVolumeClaim kserve-models in KServe's namespace for models kept on a volume",
    ),
  gatewayApi: components.gatewayApi.prefault({}),
  certManager: components.certManager.prefault({}),
  istio: components.istio.prefault({}),
  envoyGateway: components.envoyGateway.prefault({}),
  knative: components.knative.prefault({}),
  kserve: components.kserve.prefault({}),
  features: features.prefault({}),
  destroy: destroy.prefault({}),
  acknowledge: z
    .array(acknowledgement)
    .default([])
    .describe(
      "Compatibility rules that this stack breaks on purpose, each with its reason; shown in every preview",
    ),
});

/** A stack's settings, complete and checked against the schema. */
export type Settings = z.output<typeof settingsSchema>;

/** Paths (below the namespace) that only take Pulumi secrets; their values are never echoed. */
export const SECRET_PATHS = ["registry.pullSecret.password", "charts.password"] as const;
