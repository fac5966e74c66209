/** The switches below `kserve:features`. */
import { z } from "zod";

/** Parts of KServe that a stack may ask for, in the catalog's words (`optional` of an image, roles of charts). */
export const FEATURES = ["llm", "local-model"] as const;
export type Feature = (typeof FEATURES)[number];

/** The config key of each feature, below the namespace. */
export const FEATURE_KEYS: Readonly<Record<Feature, string>> = {
  llm: "features.llm",
  "local-model": "features.localModel",
};

/** `true` for a feature with its defaults, `false` for none, or a map of its settings. */
function switched<S extends z.ZodRawShape>(shape: S) {
  const settings = z.strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? "true, false, or a map of keys" : undefined),
  });
  return z.preprocess(
    (value) => (value === true ? {} : value === false ? undefined : value),
    settings.optional(),
  );
}

/** Keys below `features`. */
export const features = z.strictObject({
  monitoring: z
    .boolean()
    .default(false)
    .describe("KServe's metric aggregation and Prometheus annotations on inference pods"),
  modelRegistry: z
    .strictObject({
      image: z.string().min(1),
      supportedUriFormats: z.array(z.string().min(1)).default(["^model-registry://"]),
    })
    .optional()
    .describe("A ClusterStorageContainer that resolves model-registry URIs with the given image"),
  llm: switched({
    createGIECRDs: z
      .boolean()
      .default(true)
      .describe(
        "Install the Gateway API Inference Extension CRDs of KServe's chart (0.17 and newer); false where somebody else owns them",
      ),
  })
    .optional()
    .describe(
      "true, or a map: LLMInferenceService with its controller and presets (KServe 0.16 and newer). Models on several nodes need LeaderWorkerSet, which is not installed here and must be there first",
    ),
  localModel: z
    .boolean()
    .default(false)
    .describe(
      "The local model cache (KServe 0.15 and newer): its controller, and an agent on the nodes (from 0.17 on those labelled kserve/localmodel=worker)",
    ),
  security: z
    .boolean()
    .default(false)
    .describe(
      "No service account tokens in inference pods; Pod Security warnings (baseline) on the namespaces",
    ),
});

/** The features that are on. */
export function featuresOf(settings: {
  readonly features: z.output<typeof features>;
}): readonly Feature[] {
  const { llm, localModel } = settings.features;
  return [
    ...(llm === undefined ? [] : (["llm"] as const)),
    ...(localModel ? (["local-model"] as const) : []),
  ];
}
