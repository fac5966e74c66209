/**
 * The form of a catalog entry: one JSON file per product and release, `versions/<product>/<version>.json`.
 *
 * Every block carries the `source` of its facts (`owner/repo@tag:path`, or an issue). A fact that could not be
 * established is left out; nothing here is guessed. What differs from release to release is data in these files,
 * never an `if` in a component.
 */
import semver from "semver";
import { z } from "zod";

/** Products that have releases of their own. `knative-serving` is what users call the Knative version. */
export const PRODUCTS = [
  "gateway-api",
  "cert-manager",
  "istio",
  "envoy-gateway",
  "knative-operator",
  "knative-serving",
  "net-istio",
  "net-kourier",
  "kserve",
] as const;
export type Product = (typeof PRODUCTS)[number];

/** Where a fact was read: `owner/repo@ref:path`, several joined by `; `, or `owner/repo#number`. */
const source = z
  .string()
  .regex(/[\w.-]+\/[\w.-]+[@#]/, "a source names owner/repo@ref:path or owner/repo#number");

const version = z
  .string()
  .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, "a full version without leading v");

const chart = z.strictObject({
  /** What the chart brings; a component asks for a chart by its role, never by its name. */
  role: z.enum([
    "crds",
    "base",
    "controller",
    "operator",
    "runtimes",
    "llm-crds",
    "llm",
    "local-model-crds",
    "local-model",
  ]),
  name: z.string().min(1),
  /** Exactly as published, with its leading v where upstream writes one. */
  version: z.string().min(1),
  /** `oci://…` (the chart name follows as a path element) or the address of an HTTP repository. */
  repository: z.string().min(1),
  /** A smaller chart that can stand in for this one (KServe's `-minimal` CRD charts). */
  variantOf: z.string().optional(),
  /** Objects (`Kind/name`) that are never placed from this chart: another part of the installation owns them. */
  leaveOut: z.array(z.string().regex(/^[A-Z]\w+\/\S+$/, "Kind/name")).default([]),
  source,
});

const manifest = z.strictObject({
  role: z.enum(["crds"]),
  /** File name under which a directory or HTTP repository holds it: `<product>-<version>…yaml`. */
  file: z.string().min(1),
  /** The published address. */
  url: z.url(),
  source,
});

const crds = z.strictObject({
  /** Where the definitions come from: a published manifest, a chart's `templates/` or `crds/` folder, or an operator that carries them. */
  in: z.enum(["manifest", "chart-templates", "chart-crds-folder", "operator"]),
  /** Chart values without which its templates leave them out (cert-manager). */
  values: z.record(z.string(), z.unknown()).optional(),
  items: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9-]+\.[a-z0-9.-]+$/),
      kind: z.string(),
      scope: z.enum(["Namespaced", "Cluster"]),
      /** Served versions, storage version first. */
      versions: z.array(z.string()).min(1),
      /** Chart role that carries it, where the release has several CRD charts. */
      chart: z.string().optional(),
      /** Chart marks it `helm.sh/resource-policy: keep`: it stays when everything else is destroyed. */
      keep: z.boolean().optional(),
    }),
  ),
  source,
});

const image = z.strictObject({
  /** Short key, unique in the entry, spelled as upstream spells it (`controller`, `queue-proxy`, `storage-initializer`). */
  name: z.string().min(1),
  /** Upstream reference as upstream writes it (`kserve/agent:v0.16.0`), or `repo@sha256:…`. */
  image: z.string().min(1),
  /** Known digest of that tag. */
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  /** How it reaches a node: `Kind/name path`, a chart value, an argument, a key of a ConfigMap … */
  usedBy: z.string().min(1),
  /** Chart value paths that set it; which parts they carry is in the key (`image`, `registry`, `repository`, `tag`, `digest`). */
  values: z
    .partialRecord(z.enum(["image", "registry", "repository", "tag", "digest"]), z.string())
    .optional(),
  /** Chart (by role) whose rendering names it; absent when no manifest shows it (operator-embedded, injected, computed). */
  chart: z.string().optional(),
  /** Chart value path that must be true before the chart names it, where defaults and plan leave it off. */
  enabledBy: z.string().optional(),
  /** Modes that need it; absent: all. */
  modes: z.array(z.enum(["Serverless", "RawDeployment", "ModelMesh"])).optional(),
  /** Feature or choice without which it is not needed (`local-model`, `llm`, `explainer`, `gpu`, a runtime's name). */
  optional: z.string().optional(),
  /** True for tags that move (`latest`, `v1.34-latest`). */
  floating: z.boolean().optional(),
  /** Knative operator's override key (`deployment/container`), for images that it carries inside. */
  override: z.string().optional(),
  source,
});

/** Logical settings that differ in spelling from release to release, as chart value paths. */
const valueKeys = z.strictObject({ keys: z.record(z.string(), z.string()), source });

const range = z
  .string()
  .refine((text) => semver.validRange(text) !== null && text.trim() !== "", "an npm semver range");

/**
 * A demand of this release on a neighbour or on the cluster, as its project publishes it. The tables of compat/rules
 * hold those of whole minors; a release that no table covers brings its own.
 */
const demand = z.strictObject({
  subject: z.enum([...PRODUCTS, "kubernetes"]),
  range,
  /** What breaks otherwise, in one sentence. */
  because: z.string().min(20),
  source,
});

/** One line of KServe's published table for this release: what goes together on a Kubernetes minor. */
const publishedRow = z.strictObject({ kubernetes: range, istio: range, knative: range, source });

const base = {
  version,
  /** Demands that no table in compat/rules has. */
  demands: z.array(demand).default([]),
  released: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/)
    .optional(),
  /** Source of `version` and `released`. */
  source,
  charts: z.array(chart).default([]),
  manifests: z.array(manifest).default([]),
  crds: crds.optional(),
  images: z.array(image).default([]),
  /** Traps of this release in one sentence each, for people. */
  notes: z.array(z.strictObject({ text: z.string(), source })).default([]),
};

const gatewayApi = z.strictObject({
  ...base,
  product: z.literal("gateway-api"),
  /** Objects of the bundle that are not CRDs (the safe-upgrades policy from 1.5). */
  policies: z.strictObject({ names: z.array(z.string()), source }).optional(),
});

const certManager = z.strictObject({
  ...base,
  product: z.literal("cert-manager"),
  /** `closed`: the chart's values schema refuses unknown keys at the top level; `keys` are those that it knows. */
  valuesSchema: z
    .strictObject({ closed: z.boolean(), keys: z.array(z.string()).default([]), source })
    .optional(),
});

const istio = z.strictObject({
  ...base,
  product: z.literal("istio"),
  /** Image registry and tag to set explicitly: chart defaults point at registries that close. */
  hub: z.strictObject({ value: z.string(), tag: z.string(), source }),
  /** `base.validationFailurePolicy` exists from 1.28.6, 1.29.2 and 1.30.0: without it istiod's write drifts. */
  validationFailurePolicy: z.strictObject({ supported: z.boolean(), source }),
});

const envoyGateway = z.strictObject({ ...base, product: z.literal("envoy-gateway") });

const knativeOperator = z.strictObject({
  ...base,
  product: z.literal("knative-operator"),
  /** Per Serving minor: newest patch carried (all lower patches too) and the network plugins that come with it. */
  carries: z.record(
    z.string().regex(/^\d+\.\d+$/),
    z.strictObject({
      newest: version,
      ingress: z.partialRecord(z.enum(["istio", "kourier", "gateway-api", "contour"]), version),
    }),
  ),
  carriesSource: source,
});

const knativeServing = z.strictObject({
  ...base,
  product: z.literal("knative-serving"),
  /** Lowest Kubernetes version its processes start on; below it they exit. */
  kubernetesMin: z.strictObject({ value: version, source }),
});

const networkPlugin = z.strictObject({ ...base, product: z.enum(["net-istio", "net-kourier"]) });

/** Names that a chart gives to a controller and to what has to be waited for. */
const controllerNames = z.strictObject({
  deployment: z.string(),
  certificate: z.string(),
  webhookService: z.string(),
  validatingWebhooks: z.array(z.string()),
  mutatingWebhooks: z.array(z.string()),
  source,
});

/** Release of a neighbour that KServe's own scripts install beside this release; this program does not. */
const companion = z.strictObject({ value: version, source });

/** LLMInferenceService: a controller of its own, and presets that its webhook judges. */
const llm = z.strictObject({
  controller: controllerNames,
  presets: z.strictObject({
    chart: z.enum(["llm", "runtimes"]),
    /** Value paths to set (to `true`) for a chart that renders none by default. */
    enable: z.array(z.string()).default([]),
    names: z.array(z.string()),
    source,
  }),
  /** The only namespace that it works in; absent: any. */
  namespace: z.strictObject({ value: z.string(), source }).optional(),
  /** Gateway API Inference Extension that the release goes with; its CRDs are those of the `llm` chart, if any. */
  inferenceExtension: companion,
  /** LeaderWorkerSet, which models on several nodes need. */
  leaderWorkerSet: companion,
  /** Environment of the controller, for the value path `llmControllerEnv`. */
  controllerEnv: z
    .array(z.strictObject({ name: z.string(), value: z.string(), because: z.string(), source }))
    .default([]),
  source,
});

/** The local model cache: a controller, and an agent on every node that holds models. */
const localModel = z.strictObject({
  /** Chart that holds it: its own from 0.17 on. */
  chart: z.enum(["controller", "local-model"]),
  /** Without a certificate of its own its webhook is answered by KServe's controller. */
  controller: controllerNames.partial({ certificate: true }),
  /** DaemonSet on the nodes. */
  agent: z.string(),
  /** Namespace of the jobs that download models. */
  jobNamespace: z.string(),
  source,
});

const kserve = z.strictObject({
  ...base,
  product: z.literal("kserve"),
  /** Published rows of a release that compat/rules/kserve-rows.ts does not cover; without any it is refused. */
  rows: z.array(publishedRow).default([]),
  /** How this release spells our modes in `inferenceservice-config`; a mode that is missing does not exist in it. */
  modes: z.strictObject({
    spelling: z.partialRecord(z.enum(["Serverless", "RawDeployment", "ModelMesh"]), z.string()),
    source,
  }),
  /** Paths of the controller chart's values. Known keys are listed in plan/kserve-values.ts. */
  values: valueKeys,
  /** Which chart holds the ClusterServingRuntimes, and the kinds that must wait for the controller's webhook. */
  runtimes: z.strictObject({
    chart: z.enum(["controller", "runtimes"]),
    /** Value paths to set (to `true`) for a runtimes chart that renders nothing by default. */
    enable: z.array(z.string()).default([]),
    names: z.array(z.string()),
    source,
  }),
  /** Names that the controller chart gives to what has to be waited for. */
  controller: controllerNames,
  /** Absent: the release has no LLMInferenceService. */
  llm: llm.optional(),
  /** Absent: the release has no local model cache that works. */
  localModel: localModel.optional(),
});

/** One release of one product. */
export const releaseSchema = z.discriminatedUnion("product", [
  gatewayApi,
  certManager,
  istio,
  envoyGateway,
  knativeOperator,
  knativeServing,
  networkPlugin,
  kserve,
]);

export type Release = z.infer<typeof releaseSchema>;
export type ReleaseOf<P extends Product> = Extract<Release, { product: P }>;
export type CatalogChart = z.infer<typeof chart>;
export type CatalogManifest = z.infer<typeof manifest>;
export type CatalogImage = z.infer<typeof image>;
export type ChartRole = CatalogChart["role"];
