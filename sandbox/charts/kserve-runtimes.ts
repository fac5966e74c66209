/** ClusterServingRuntimes of the KServe stand-in, one for every name in the catalog. */
import { type KServe, imageText } from "./kserve-images.ts";
import { type CatalogImage, type Doc, optional } from "./model.ts";

/** The image of a runtime, by the object that the catalog says uses it. */
function imageOf(release: KServe, runtime: string): CatalogImage | undefined {
  return release.images.find(
    (image) => image.usedBy.split(" ")[0] === `ClusterServingRuntime/${runtime}`,
  );
}

/** `kserve.servingruntime.<name>` of a runtime's image, the block that its other values live in. */
function blockOf(image: CatalogImage): string | undefined {
  return image.values?.repository?.replace(/\.image$/, "");
}

function runtime(release: KServe, name: string, image: CatalogImage): Doc {
  const block = blockOf(image);
  // The field came together with the controller's own pull secrets.
  const secrets = block !== undefined && "controllerImagePullSecrets" in release.values.keys;
  const format = name.replace(/^kserve-|server$|-serving$/g, "");
  const modelMesh = image.modes?.includes("ModelMesh") ?? false;
  return {
    ...(modelMesh ? { when: `.Values.${release.values.keys["modelmeshEnabled"]}` } : {}),
    object: {
      apiVersion: "serving.kserve.io/v1alpha1",
      kind: "ClusterServingRuntime",
      metadata: { name },
      spec: {
        supportedModelFormats: [
          { name: format, version: "1", autoSelect: !modelMesh, priority: 1 },
        ],
        protocolVersions: ["v1", "v2"],
        ...(secrets ? { imagePullSecrets: optional(`(.Values.${block}).imagePullSecrets`) } : {}),
        containers: [
          {
            name: "kserve-container",
            image: imageText(release, image),
            // KServe's own placeholder, which Helm must hand through.
            args: ['--model_name={{ "{{.Name}}" }}', "--model_dir=/mnt/models", "--http_port=8080"],
            resources: {
              requests: { cpu: "1", memory: "2Gi" },
              limits: { cpu: "1", memory: "2Gi" },
            },
          },
        ],
      },
    },
  };
}

/** All runtimes of the release; a name without a known image is left out rather than guessed. */
export function servingRuntimes(release: KServe): Doc[] {
  const gate = release.runtimes.enable.map((path) => `.Values.${path}`);
  return release.runtimes.names.flatMap((name) => {
    const image = imageOf(release, name);
    if (!image) return [];
    const doc = runtime(release, name, image);
    const conditions = doc.when === undefined ? gate : [...gate, doc.when];
    const [first, ...rest] = conditions;
    if (first === undefined) return [doc];
    return [{ ...doc, when: rest.length === 0 ? first : `and ${conditions.join(" ")}` }];
  });
}

/** Presets for LLM serving by name, with the images that the catalog says each of them holds. */
export function llmPresets(release: KServe, chart: string): Doc[] {
  const { llm } = release;
  if (llm?.presets.chart !== chart) return [];
  const item = release.crds?.items.find((found) => found.kind === "LLMInferenceServiceConfig");
  const [enable] = llm.presets.enable;
  return llm.presets.names.map((name) => ({
    ...(enable === undefined ? {} : { when: `.Values.${enable}` }),
    object: {
      apiVersion: `serving.kserve.io/${item?.versions[0] ?? "v1alpha1"}`,
      kind: "LLMInferenceServiceConfig",
      metadata: { name, namespace: llm.namespace?.value ?? "{{ .Release.Namespace }}" },
      spec: {
        template: {
          containers: presetImages(release, name).map((image, at) => ({ name: `c${at}`, image })),
        },
      },
    },
  }));
}

/** Their images are literal text upstream. */
function presetImages(release: KServe, preset: string): string[] {
  const used = release.images.filter(({ usedBy }) =>
    `${usedBy} `.includes(`LLMInferenceServiceConfig/${preset} `),
  );
  return [...new Set(used.map(({ image }) => image))];
}
