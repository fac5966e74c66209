/** Stand-in for the Knative operator chart. Serving itself comes from the operator, so here nothing of it exists. */
import {
  type ChartModel,
  type Doc,
  type KubeObject,
  type ReleaseOf,
  type StandIns,
  helm,
  optional,
  setPath,
} from "./model.ts";
import {
  RELEASE_NAMESPACE,
  RESTRICTED,
  crd,
  fieldEnv,
  service,
  serviceAccount,
  workload,
} from "./objects.ts";
import { knativeOperatorRbac, labelsOf } from "./knative-operator-rbac.ts";

type Operator = ReleaseOf<"knative-operator">;

/** Definitions with the conversion webhook that the operator serves (it writes the CA bundle at run time). */
function definitions(release: Operator): Doc[] {
  const clientConfig = {
    service: {
      name: "operator-webhook",
      namespace: RELEASE_NAMESPACE,
      path: "/resource-conversion",
    },
  };
  const conversion = {
    strategy: "Webhook",
    webhook: { clientConfig, conversionReviewVersions: ["v1beta1"] },
  };
  return (release.crds?.items ?? []).map((item) => ({
    object: crd(item, { labels: labelsOf(release), conversion }),
  }));
}

interface Process {
  readonly name: string;
  /** Values block: `knative_operator.<block>`. */
  readonly block: string;
  readonly selector: Record<string, string>;
  readonly env: readonly { name: string; value: string }[];
}

const PROCESSES: readonly Process[] = [
  {
    name: "knative-operator",
    block: "knative_operator",
    selector: { name: "knative-operator" },
    env: [],
  },
  {
    name: "operator-webhook",
    block: "operator_webhook",
    selector: { app: "operator-webhook", role: "operator-webhook" },
    env: [
      { name: "WEBHOOK_NAME", value: "operator-webhook" },
      { name: "WEBHOOK_PORT", value: "8443" },
      { name: "WEBHOOK_SECRET_NAME", value: "operator-webhook-certs" },
    ],
  },
];

function container(p: Process): Record<string, unknown> {
  const values = `.Values.knative_operator.${p.block}`;
  return {
    name: p.name,
    image: `{{ ${values}.image }}:{{ ${values}.tag }}`,
    resources: helm(`{{ toJson ${values}.resources }}`),
    env: [
      fieldEnv("POD_NAME", "metadata.name"),
      fieldEnv("SYSTEM_NAMESPACE"),
      { name: "METRICS_DOMAIN", value: "knative.dev/operator" },
      { name: "CONFIG_LOGGING_NAME", value: "config-logging" },
      { name: "CONFIG_OBSERVABILITY_NAME", value: "config-observability" },
      ...p.env,
      {
        name: "KUBERNETES_MIN_VERSION",
        value: "{{ .Values.knative_operator.kubernetes_min_version }}",
      },
    ],
    securityContext: RESTRICTED,
    ports: [{ name: "metrics", containerPort: 9090 }],
  };
}

function deployment(release: Operator, p: Process): KubeObject {
  const values = `.Values.knative_operator.${p.block}`;
  const labels = labelsOf(release);
  return workload(
    "Deployment",
    { name: p.name, namespace: RELEASE_NAMESPACE, labels },
    {
      selector: p.selector,
      podMeta: { labels: { ...labels, "sidecar.istio.io/inject": "false" } },
      spec: {
        serviceAccountName: p.name,
        affinity: optional(`${values}.affinity`),
        tolerations: optional(`${values}.tolerations`),
        containers: [container(p)],
      },
    },
  );
}

function runtimeDocs(release: Operator): Doc[] {
  const labels = labelsOf(release);
  const inNamespace = (
    name: string,
  ): { name: string; namespace: string; labels: Record<string, string> } => ({
    name,
    namespace: RELEASE_NAMESPACE,
    labels,
  });
  const config = (name: string): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: inNamespace(name),
    data: {},
  });
  const webhookPorts = [
    { name: "http-metrics", port: 9090, targetPort: 9090 },
    { name: "http-profiling", port: 8008, targetPort: 8008 },
    { name: "https-webhook", port: 443, targetPort: 8443 },
  ];
  return [
    ...PROCESSES.map((p) => serviceAccount(inNamespace(p.name))),
    // The webhook fills it in; the chart owns no data of it.
    { apiVersion: "v1", kind: "Secret", metadata: inNamespace("operator-webhook-certs") },
    config("config-logging"),
    config("config-observability"),
    service(inNamespace("operator-webhook"), { role: "operator-webhook" }, webhookPorts),
    ...PROCESSES.map((p) => deployment(release, p)),
  ].map((object) => ({ object }));
}

function values(release: Operator): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const requests = { cpu: "100m", memory: "100Mi" };
  for (const p of PROCESSES) {
    const limits =
      p.block === "operator_webhook"
        ? { cpu: "500m", memory: "500Mi" }
        : { cpu: "1000m", memory: "1000Mi" };
    setPath(result, `knative_operator.${p.block}`, {
      affinity: {},
      tolerations: [],
      resources: { requests, limits },
    });
  }
  // knative/operator:config/charts/knative-operator/values.yaml, the same in every release
  setPath(result, "knative_operator.kubernetes_min_version", "v1.25.0");
  for (const image of release.images) {
    const [repository, tag] = image.image.split(":");
    if (image.values?.repository !== undefined)
      setPath(result, image.values.repository, repository);
    if (image.values?.tag !== undefined) setPath(result, image.values.tag, tag);
  }
  return result;
}

function chart(release: Operator, name: string, version: string): ChartModel {
  return {
    name,
    version,
    values: values(release),
    templates: {
      "crds.yaml": { docs: definitions(release) },
      "rbac.yaml": { docs: knativeOperatorRbac(release) },
      "operator.yaml": { docs: runtimeDocs(release) },
    },
  };
}

/** The operator chart; releases that were never published as a chart give none. */
export function knativeOperatorStandIns(release: Operator): StandIns {
  return {
    charts: release.charts.map(({ name, version }) => chart(release, name, version)),
    manifests: [],
  };
}
