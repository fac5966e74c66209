/** Stand-ins for Envoy Gateway's two charts: its definitions, and the controller with its certgen hook. */
import semver from "semver";
import {
  type ChartModel,
  type Doc,
  type KubeObject,
  type ReleaseOf,
  type StandIns,
  helm,
  setPath,
} from "./model.ts";
import {
  RELEASE_NAMESPACE,
  RESTRICTED,
  binding,
  crd,
  fieldEnv,
  role,
  rule,
  service,
  serviceAccount,
  workload,
} from "./objects.ts";

type EnvoyGateway = ReleaseOf<"envoy-gateway">;

const NAME = "envoy-gateway";
/** Everything but the controller itself is named after the release (templates/_helpers.tpl, eg.fullname). */
const FULL_NAME = "{{ .Release.Name }}";
const IMAGE = "{{ .Values.global.images.envoyGateway.image }}";
const PULL_SECRETS = helm("{{ toJson .Values.global.imagePullSecrets }}");
const SELECTOR = {
  "control-plane": NAME,
  "app.kubernetes.io/name": "gateway-helm",
  "app.kubernetes.io/instance": "{{ .Release.Name }}",
};
const LABELS = { ...SELECTOR, "app.kubernetes.io/managed-by": "{{ .Release.Service }}" };
const SAFE_UPGRADES = "safe-upgrades.gateway.networking.k8s.io";

const inNamespace = (name: string): { name: string; namespace: string; labels: typeof LABELS } => ({
  name,
  namespace: RELEASE_NAMESPACE,
  labels: LABELS,
});

function definitions(release: EnvoyGateway): KubeObject[] {
  return (release.crds?.items ?? []).map((item) => crd(item));
}

function crdsChart(release: EnvoyGateway, name: string, version: string): ChartModel {
  const docs = definitions(release).map((object): Doc => ({
    object,
    when: ".Values.crds.envoyGateway.enabled",
  }));
  return {
    name,
    version,
    // Off by default, upstream too: an installer that sets nothing gets nothing.
    values: {
      crds: {
        gatewayAPI: { enabled: false, channel: "experimental" },
        envoyGateway: { enabled: false },
      },
    },
    templates: { "crds.yaml": { docs } },
  };
}

/** What the controller reads at start; the proxy's image only where the values name one (eg.default-envoy-gateway-config). */
const CONFIG = [
  "apiVersion: gateway.envoyproxy.io/v1alpha1",
  "kind: EnvoyGateway",
  "{{- with .Values.global.images.envoyProxy }}{{ with .image }}",
  "envoyProxy:",
  "  provider:",
  "    type: Kubernetes",
  "    kubernetes: {envoyDeployment: {container: {image: {{ . }}}}}",
  "{{- end }}{{ end }}",
  "gateway: {controllerName: {{ .Values.config.envoyGateway.gateway.controllerName }}}",
  "provider:",
  "  type: Kubernetes",
  "  kubernetes:",
  "    rateLimitDeployment: {container: {image: {{ .Values.global.images.ratelimit.image }}}}",
  `    shutdownManager: {image: ${IMAGE}}`,
  "",
].join("\n");

function deployment(): KubeObject {
  const container = {
    name: NAME,
    image: IMAGE,
    args: ["server", "--config-path=/config/envoy-gateway.yaml"],
    env: [fieldEnv("ENVOY_GATEWAY_NAMESPACE")],
    resources: helm("{{ toJson .Values.deployment.envoyGateway.resources }}"),
    securityContext: RESTRICTED,
    volumeMounts: [
      { name: "envoy-gateway-config", mountPath: "/config", readOnly: true },
      { name: "certs", mountPath: "/certs", readOnly: true },
    ],
  };
  const object = workload("Deployment", inNamespace(NAME), {
    selector: SELECTOR,
    spec: {
      serviceAccountName: NAME,
      imagePullSecrets: PULL_SECRETS,
      containers: [container],
      volumes: [
        { name: "envoy-gateway-config", configMap: { name: "envoy-gateway-config" } },
        { name: "certs", secret: { secretName: NAME } },
      ],
    },
  });
  const spec = object["spec"] as Record<string, unknown>;
  return { ...object, spec: { replicas: helm("{{ .Values.deployment.replicas }}"), ...spec } };
}

const PORTS = [
  { name: "grpc", port: 18000, targetPort: 18000 },
  { name: "ratelimit", port: 18001, targetPort: 18001 },
  { name: "wasm", port: 18002, targetPort: 18002 },
  { name: "metrics", port: 19001, targetPort: 19001 },
];

function controllerDocs(): Doc[] {
  const account = { name: NAME, namespace: RELEASE_NAMESPACE };
  const roleName = `${FULL_NAME}-envoy-gateway-role`;
  const manager = `${FULL_NAME}-infra-manager`;
  return [
    serviceAccount(inNamespace(NAME)),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: inNamespace("envoy-gateway-config"),
      data: { "envoy-gateway.yaml": CONFIG },
    },
    role({ name: roleName, labels: LABELS }, [rule("gateway.networking.k8s.io", "*")]),
    binding({ name: `${FULL_NAME}-envoy-gateway-rolebinding`, labels: LABELS }, roleName, account),
    role(inNamespace(manager), [rule("apps", "deployments", "create,get,delete,patch")]),
    binding(inNamespace(manager), manager, account),
    service(inNamespace(NAME), SELECTOR, PORTS),
    deployment(),
  ].map((object) => ({ object }));
}

/** The hook that makes the certificates; who renders the chart does not get it. */
function certgenDocs(): Doc[] {
  const name = `${FULL_NAME}-certgen`;
  const hook = (
    weight: string,
  ): { name: string; namespace: string; labels: typeof LABELS; annotations: object } => ({
    ...inNamespace(name),
    annotations: {
      "helm.sh/hook": "pre-install, pre-upgrade",
      ...(weight === "" ? {} : { "helm.sh/hook-weight": weight }),
    },
  });
  const container = { name: "envoy-gateway-certgen", image: IMAGE, securityContext: RESTRICTED };
  const job: KubeObject = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: hook(""),
    spec: {
      ttlSecondsAfterFinished: 30,
      template: {
        spec: {
          serviceAccountName: name,
          restartPolicy: "Never",
          imagePullSecrets: PULL_SECRETS,
          containers: [{ ...container, command: [NAME, "certgen"] }],
        },
      },
    },
  };
  return [
    serviceAccount(hook("-1")),
    role(hook("-1"), [rule("", "secrets", "get,create,update")]),
    binding(hook("-1"), name, { name, namespace: RELEASE_NAMESPACE }),
    job,
  ].map((object) => ({ object }));
}

/** The webhook of the topology injector, a hook as well. */
function injectorDocs(): Doc[] {
  const name = `envoy-gateway-topology-injector.${RELEASE_NAMESPACE}`;
  const object: KubeObject = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name, annotations: { "helm.sh/hook": "pre-install, pre-upgrade" } },
    webhooks: [],
  };
  return [{ object, when: ".Values.topologyInjector.enabled" }];
}

/** From 1.8 the chart brings Gateway API's guard, which the GatewayApi layer owns; `crds.enabled` counts from 1.8.2. */
function guardDocs(release: EnvoyGateway): Doc[] {
  if (semver.lt(release.version, "1.8.0")) return [];
  const enabled = semver.lt(release.version, "1.8.2") ? "" : " .Values.crds.enabled";
  const when = `and .Values.crds.gatewayAPI.safeUpgradePolicy.enabled${enabled}`;
  return ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"].map((kind) => ({
    object: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind,
      metadata: { name: SAFE_UPGRADES },
    },
    when,
  }));
}

function values(release: EnvoyGateway): Record<string, unknown> {
  const result: Record<string, unknown> = {
    crds: { enabled: true, gatewayAPI: { safeUpgradePolicy: { enabled: true } } },
    global: { imageRegistry: "", imagePullSecrets: [], images: {} },
    config: {
      envoyGateway: {
        gateway: { controllerName: "gateway.envoyproxy.io/gatewayclass-controller" },
      },
    },
    deployment: {
      replicas: 1,
      envoyGateway: {
        resources: { limits: { memory: "1024Mi" }, requests: { cpu: "100m", memory: "256Mi" } },
      },
    },
    topologyInjector: { enabled: true },
  };
  for (const { name, image, values: paths } of release.images)
    if (paths?.image !== undefined) setPath(result, paths.image, name === "envoy" ? "" : image);
  return result;
}

function controllerChart(release: EnvoyGateway, name: string, version: string): ChartModel {
  return {
    name,
    version,
    values: values(release),
    templates: {
      "controller.yaml": { docs: controllerDocs() },
      "certgen.yaml": { docs: certgenDocs() },
      "injector.yaml": { docs: injectorDocs() },
      "guard.yaml": { docs: guardDocs(release) },
    },
    // Upstream's folder holds the experimental Gateway API CRDs as well; who leaves it out is spared both.
    crdsFolder: definitions(release),
  };
}

/** Both charts of one release, by their catalog roles. */
export function envoyGatewayStandIns(release: EnvoyGateway): StandIns {
  const charts = release.charts.map(({ role: part, name, version }) =>
    part === "crds" ? crdsChart(release, name, version) : controllerChart(release, name, version),
  );
  return { charts, manifests: [] };
}
