/**
 * The whole configuration surface of a stack, as one strict schema: keys of the namespace `kserve:` in a stack file.
 * A stack file holds choices; whatever is left out comes from the catalog (`versions/`) or from the defaults here.
 * `docs/configuration.md` is written from these descriptions.
 */
import { z } from "zod";
import {
  dnsLabel,
  dnsName,
  kubernetesVersion,
  quantity,
  registryHost,
  replicas,
  resources,
  secret,
  values,
  version,
  workload,
} from "./fields.ts";
import { features } from "./features.ts";

/** Namespace of all our keys in a stack file. */
export const NAMESPACE = "kserve";

export const MODES = ["Serverless", "RawDeployment", "ModelMesh"] as const;
/** KServe's deployment mode in the words users know; the spelling of each release is catalog data. */
export type Mode = (typeof MODES)[number];

export const INGRESS_TYPES = [
  "istio",
  "kourier",
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
      "istio: installed here (default of Serverless); kourier: Knative's own (Serverless only); gateway-class: an existing " +
        "Gateway API implementation (RawDeployment, its default from KServe 0.15 on); ingress-class: Kubernetes Ingress (RawDeployment, " +
        "its default before); none: no ingress objects (RawDeployment, ModelMesh)",
    ),
  className: dnsName
    .optional()
    .describe(
      'GatewayClass or IngressClass to use; default "envoy" for gateway-class and "nginx" for ingress-class',
    ),
  controllerName: z
    .string()
    .regex(
      /^[^/\s]+\/\S+$/,
      'a controller name with a domain prefix, like "gateway.envoyproxy.io/gatewayclass-controller"',
    )
    .optional()
    .describe("Set to let this program create the GatewayClass for that controller"),
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
  knativeOperator: dnsLabel.default("knative-operator").describe("Where the Knative operator runs"),
  knativeServing: dnsLabel.default("knative-serving").describe("Where Knative Serving runs"),
  kserve: dnsLabel
    .default("kserve")
    .describe("Where KServe runs; from 0.17 on LLMInferenceService works in kserve only"),
});

const registry = z.strictObject({
  host: registryHost.describe(
    "Registry that every image must come from; setting it switches the mirror on",
  ),
  layout: z
    .enum(["project-per-host", "single-project"])
    .default("project-per-host")
    .describe(
      "project-per-host: <host>/<upstream host>/<path>; single-project: <host>/<project>/<upstream host>/<path>",
    ),
  project: z
    .string()
    .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "a Harbor project name")
    .optional()
    .describe("Project of single-project"),
  projects: z
    .record(dnsName, z.string().regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "a Harbor project name"))
    .default({})
    .describe("Other project names for single upstream hosts (proxy-cache projects)"),
  exempt: z
    .array(z.string().regex(/^[\w.-]+(:\d+)?(\/[\w./-]+)?$/, "an upstream host, or host and path"))
    .default([])
    .describe("Upstream prefixes that are not mirrored"),
  pullSecret: z
    .strictObject({
      name: dnsLabel.default("kserve-registry"),
      username: z.string().min(1),
      password: secret,
    })
    .optional()
    .describe("Credentials, placed as a docker-registry Secret in every namespace that pulls"),
  ca: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----/, "a PEM certificate")
    .optional()
    .describe("Private CA of the registry, PEM text"),
});

const charts = z.discriminatedUnion("source", [
  z.strictObject({
    source: z.literal("upstream").describe("published chart repositories and release files"),
  }),
  z.strictObject({
    source: z.literal("oci"),
    url: z
      .string()
      .regex(/^oci:\/\/[^/\s]+(\/\S+)?$/, "oci://host[:port]/path; the chart name follows"),
    manifests: z
      .string()
      .min(1)
      .describe("Folder or http(s) address that holds the CRD files (Gateway API, cert-manager)"),
    username: z.string().min(1).optional(),
    password: secret.optional(),
    plainHttp: z.boolean().default(false),
  }),
  z.strictObject({
    source: z.literal("http"),
    url: z.url({
      protocol: /^https?$/,
      error: "an http(s) address of a Helm repository (the folder of index.yaml)",
    }),
    manifests: z
      .string()
      .min(1)
      .optional()
      .describe("Where the CRD files are; default: beside index.yaml"),
    username: z.string().min(1).optional(),
    password: secret.optional(),
  }),
  z.strictObject({
    source: z.literal("directory"),
    path: z
      .string()
      .min(1)
      .describe(
        "Folder with <chart>-<version>.tgz or unpacked <chart>-<version>/, and the CRD files",
      ),
  }),
]);

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
    gateway: z
      .strictObject({
        replicas: replicas.default(1),
        resources: resources.optional(),
        serviceType: z.enum(["LoadBalancer", "NodePort", "ClusterIP"]).default("LoadBalancer"),
      })
      .prefault({}),
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
        minScale: z.int().min(0).optional(),
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
    values: values.default({}),
  }),
};

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
  registry: registry.optional(),
  charts: charts.prefault({ source: "upstream" }),
  storage: z
    .strictObject({ className: dnsName, size: quantity })
    .optional()
    .describe(
      "A PersistentVolumeClaim kserve-models in KServe's namespace for models kept on a volume",
    ),
  gatewayApi: components.gatewayApi.prefault({}),
  certManager: components.certManager.prefault({}),
  istio: components.istio.prefault({}),
  knative: components.knative.prefault({}),
  kserve: components.kserve.prefault({}),
  features: features.prefault({}),
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
