/** Stand-ins for KServe's charts: definitions, controller, runtimes, and the LLM and local-model charts. */
import { llmConfig, setConfigDefaults } from "./kserve-config.ts";
import { controllerDocs, workloadDocs } from "./kserve-controller.ts";
import { type KServe, isSplit, setImageDefaults, workloadsOf } from "./kserve-images.ts";
import {
  RESOURCES,
  certificate,
  inNamespace,
  selectorOf,
  selfSignedIssuer,
  sharedDocs,
} from "./kserve-objects.ts";
import { llmPresets, servingRuntimes } from "./kserve-runtimes.ts";
import { injectFrom, webhookFor } from "./kserve-webhooks.ts";
import { type ChartModel, type Doc, type StandIns, type Template, setPath } from "./model.ts";
import {
  RELEASE_NAMESPACE,
  approvedAnnotation,
  binding,
  crd,
  role,
  rule,
  service,
  serviceAccount,
  webhookConfiguration,
} from "./objects.ts";

type CatalogChart = KServe["charts"][number];
type CrdItem = NonNullable<KServe["crds"]>["items"][number];

/** In two charts from 0.17, each behind a look at the cluster (kserve/kserve#5210). */
const SHARED_CRD = "clusterstoragecontainers.serving.kserve.io";

function definition(item: CrdItem): Doc {
  return { object: crd(item, { annotations: approvedAnnotation(item.name) }) };
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
    "crds.yaml": { docs: own.map(definition) },
    ...(holdsShared ? { "shared-crd.yaml": guarded(shared) } : {}),
  };
}

/** Name, certificate, webhook service and kinds of the two side controllers. */
interface Side {
  readonly image: string;
  readonly server: string;
  readonly cert: string;
  readonly secret: string;
  readonly kinds: readonly string[];
}

const SIDES: Readonly<Record<"llm" | "local-model", Side>> = {
  llm: {
    image: "llmisvc-controller",
    server: "llmisvc-webhook-server-service",
    cert: "llmisvc-serving-cert",
    secret: "llmisvc-webhook-server-cert",
    kinds: ["llminferenceservice", "llminferenceserviceconfig"],
  },
  "local-model": {
    image: "localmodel-controller",
    server: "localmodel-webhook-server-service",
    cert: "localmodel-serving-cert",
    secret: "localmodel-webhook-server-cert",
    kinds: ["localmodelcache"],
  },
};

function sideDocs(release: KServe, name: "llm" | "local-model"): Doc[] {
  const side = SIDES[name];
  const images = release.images.filter((image) => image.chart === name);
  const main =
    workloadsOf(images).find((used) => used.image.name === side.image)?.workload ?? side.image;
  const issuer = isSplit(release) ? "selfsigned-issuer" : "llmisvc-selfsigned-issuer";
  const accounts = [...new Set(workloadsOf(images).map((used) => used.workload))];
  const annotations = injectFrom(side.cert);
  const objects = [
    ...accounts.flatMap((account) => rights(account)),
    ...workloadDocs(release, images),
    service(inNamespace(side.server), { "control-plane": main }, [
      { port: 443, targetPort: "webhook-server" },
    ]),
    certificate(side.cert, side.server, side.secret, issuer),
    ...side.kinds.map((kind) =>
      webhookConfiguration("Validating", { name: `${kind}.serving.kserve.io`, annotations }, [
        webhookFor(release, `${kind}.serving.kserve.io`, "validate", side.server),
      ]),
    ),
  ];
  const extra =
    name === "llm"
      ? [service(inNamespace(`${main}-service`), selectorOf(main), [{ port: 8443 }])]
      : [];
  const issuers = isSplit(release) ? [] : [selfSignedIssuer(issuer)];
  return [...issuers, ...objects, ...extra].map((object) => ({ object }));
}

/** Account, role and binding of a side controller. */
function rights(account: string): ReturnType<typeof role>[] {
  const roleName = `${account}-role`;
  const verbs = "get,list,watch,create,update,patch,delete";
  return [
    serviceAccount(inNamespace(account)),
    role({ name: roleName }, [rule("serving.kserve.io", "*", verbs)]),
    binding({ name: `${account}-rolebinding` }, roleName, {
      name: account,
      namespace: RELEASE_NAMESPACE,
    }),
  ];
}

/** Up to 0.16 the local-model controller sits in the controller chart, with the namespace of its jobs. */
function embeddedLocalModel(release: KServe): Doc[] {
  const path = release.values.keys["localModelEnabled"];
  const images = release.images.filter(
    (image) => image.chart === "controller" && image.optional === "local-model",
  );
  const names = [...new Set(workloadsOf(images).map((used) => used.workload))];
  if (path === undefined || names.length === 0) return [];
  const namespace = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "kserve-localmodel-jobs" },
  };
  const objects = [namespace, ...names.flatMap(rights), ...workloadDocs(release, images)];
  return objects.map((object) => ({ object, when: `.Values.${path}` }));
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
  const objects = [config, ...names.flatMap(rights), ...workloadDocs(release, images)];
  return objects.map((object) => ({ object, when: `.Values.${path}` }));
}

function templates(release: KServe, role: CatalogChart["role"]): Record<string, Template> {
  switch (role) {
    case "controller":
      return {
        "controller.yaml": {
          docs: [...controllerDocs(release), ...embeddedLocalModel(release), ...modelMesh(release)],
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
            ...(isSplit(release) ? sharedDocs(release) : llmConfig(release)),
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
  for (const path of release.runtimes.enable) setPath(result, path, false);
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
