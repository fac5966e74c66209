/** Stand-ins for KServe's charts: definitions, controller, runtimes, and the LLM and local-model charts. */
import { llmConfig, setConfigDefaults } from "./kserve-config.ts";
import { controllerDocs, workloadDocs } from "./kserve-controller.ts";
import { type KServe, isSplit, setImageDefaults, workloadsOf } from "./kserve-images.ts";
import { RESOURCES, inNamespace, sharedDocs } from "./kserve-objects.ts";
import { llmPresets, servingRuntimes } from "./kserve-runtimes.ts";
import { doubledWebhooks, embeddedLocalModel, rights, sideDocs } from "./kserve-sides.ts";
import { type ChartModel, type Doc, type StandIns, type Template, setPath } from "./model.ts";
import { approvedAnnotation, crd } from "./objects.ts";

type CatalogChart = KServe["charts"][number];
type CrdItem = NonNullable<KServe["crds"]>["items"][number];

/** In two charts from 0.17, each behind a look at the cluster (kserve/kserve#5210). */
const SHARED_CRD = "clusterstoragecontainers.serving.kserve.io";

function definition(item: CrdItem): Doc {
  return { object: crd(item, { annotations: approvedAnnotation(item.name) }) };
}

/** The LLM kinds in two versions, converted by the LLM controller in namespace `kserve`, whatever the release's is. */
function llmDefinition(release: KServe, item: CrdItem): Doc {
  const { llm } = release;
  if (llm?.namespace === undefined || item.versions.length < 2) return definition(item);
  const { certificate, webhookService: name } = llm.controller;
  const namespace = llm.namespace.value;
  const annotations = { "cert-manager.io/inject-ca-from": `${namespace}/${certificate}` };
  const service = { name, namespace, path: "/convert", port: 443 };
  const conversion = {
    strategy: "Webhook",
    webhook: { clientConfig: { service }, conversionReviewVersions: ["v1"] },
  };
  return { object: crd(item, { annotations, conversion }) };
}

/** Rendered when absent, or when this very release owns it. */
function guarded(item: CrdItem): Template {
  const prelude = [
    `{{- $found := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "${item.name}" }}`,
    '{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" ($found | default dict) }}',
  ].join("\n");
  return {
    prelude,
    docs: [{ ...definition(item), when: 'or (eq $owner "") (eq $owner .Release.Name)' }],
  };
}

function crdTemplates(release: KServe, role: string): Record<string, Template> {
  const items = release.crds?.items ?? [];
  const shared = isSplit(release) ? items.find((item) => item.name === SHARED_CRD) : undefined;
  const own = items.filter((item) => (item.chart ?? "crds") === role && item !== shared);
  const holdsShared = shared !== undefined && (role === "crds" || role === "llm-crds");
  return {
    "crds.yaml": {
      docs: own.map((item) =>
        role === "llm-crds" ? llmDefinition(release, item) : definition(item),
      ),
    },
    ...(holdsShared ? { "shared-crd.yaml": guarded(shared) } : {}),
  };
}

/** ModelMesh sat in the controller chart up to 0.14; most of its images are named in a ConfigMap only. */
function modelMesh(release: KServe): Doc[] {
  const path = release.values.keys["modelmeshEnabled"];
  const images = release.images.filter(
    (image) => image.chart === "controller" && image.modes?.includes("ModelMesh") === true,
  );
  if (path === undefined) return [];
  const inConfig = images.filter((image) =>
    image.usedBy.startsWith("ConfigMap/model-serving-config-defaults"),
  );
  const lines = inConfig.map(({ usedBy, image }) => {
    const [name = "", tag = ""] = image.split(":");
    return `${usedBy.split(".").pop() ?? ""}:\n  name: ${name}\n  tag: ${tag}\n`;
  });
  const data = { "config-defaults.yaml": lines.join("") };
  const config = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: inNamespace("model-serving-config-defaults"),
    data,
  };
  const names = [...new Set(workloadsOf(images).map((used) => used.workload))];
  const objects = [
    config,
    ...names.flatMap((name) => rights(name)),
    ...workloadDocs(release, images),
  ];
  return objects.map((object) => ({ object, when: `.Values.${path}` }));
}

function templates(release: KServe, role: CatalogChart["role"]): Record<string, Template> {
  switch (role) {
    case "controller":
      return {
        "controller.yaml": {
          docs: [
            ...controllerDocs(release),
            ...doubledWebhooks(release).map((object) => ({ object })),
            ...embeddedLocalModel(release),
            ...modelMesh(release),
          ],
        },
        "runtimes.yaml": { docs: isSplit(release) ? [] : servingRuntimes(release) },
      };
    case "runtimes":
      return {
        "runtimes.yaml": { docs: servingRuntimes(release) },
        "presets.yaml": { docs: llmPresets(release, role) },
      };
    case "llm":
      return {
        ...crdTemplates(release, role),
        "controller.yaml": {
          docs: [
            ...(isSplit(release) ? sharedDocs(release) : llmConfig()),
            ...sideDocs(release, role),
          ],
        },
        "presets.yaml": { docs: isSplit(release) ? [] : llmPresets(release, role) },
      };
    case "local-model":
      return { "controller.yaml": { docs: sideDocs(release, role) } };
    default:
      return crdTemplates(release, role);
  }
}

/** Values whose default is an empty list or map upstream. */
const EMPTY: Readonly<Record<string, unknown>> = {
  controllerImagePullSecrets: [],
  llmControllerImagePullSecrets: [],
  llmControllerEnv: [],
  controllerTolerations: [],
  controllerAffinity: {},
  controllerNodeSelector: {},
  controllerPodAnnotations: {},
  controllerResources: RESOURCES,
  rbacProxyResources: RESOURCES,
  createSharedResources: true,
  inferenceServiceResources: {
    limits: { cpu: "1", memory: "2Gi" },
    requests: { cpu: "1", memory: "2Gi" },
  },
  createGateway: false,
  modelmeshEnabled: true,
};

function values(release: KServe, role: CatalogChart["role"]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (role.endsWith("crds")) return result;
  // The charts share one values file upstream, so that each holds the others' keys too.
  setConfigDefaults(release, result);
  for (const [key, value] of Object.entries(EMPTY)) {
    const path = release.values.keys[key];
    if (path !== undefined) setPath(result, path, value);
  }
  setImageDefaults(
    release,
    release.images.filter((image) => image.chart !== undefined),
    result,
  );
  const switches = [...release.runtimes.enable, ...(release.llm?.presets.enable ?? [])];
  for (const path of switches) setPath(result, path, false);
  return result;
}

function chart(release: KServe, entry: CatalogChart): ChartModel {
  const { name, version, role } = entry;
  return { name, version, values: values(release, role), templates: templates(release, role) };
}

/** All charts of one KServe release; a `-minimal` chart is the same here, since no definition has a schema. */
export function kserveStandIns(release: KServe): StandIns {
  return { charts: release.charts.map((entry) => chart(release, entry)), manifests: [] };
}
