/** Objects of the istiod stand-in. Templates see istiod's own settings as `$p`. */
import { INJECTOR_CONFIG } from "./istio-injection.ts";
import {
  type Doc,
  type KubeObject,
  type OptionalValue,
  type ReleaseOf,
  helm,
  optional,
} from "./model.ts";
import {
  RESTRICTED,
  type Webhook,
  binding,
  fieldEnv,
  role,
  rule,
  service,
  serviceAccount,
  webhookConfiguration,
  workload,
} from "./objects.ts";

type Istio = ReleaseOf<"istio">;

const NAMESPACE = "{{ .Values.global.istioNamespace }}";
const ALL = "get,list,watch,create,update,patch,delete";
const LABELS = { app: "istiod", release: "{{ .Release.Name }}", "istio.io/rev": "default" };
const ACCOUNT = { name: "istiod", namespace: NAMESPACE };

/** Values with upstream's defaults; hub and tag come from the catalog, which names the registry that stays. */
export function istiodValues(release: Istio, flat: boolean): Record<string, unknown> {
  const own = {
    image: "pilot",
    env: {},
    resources: { requests: { cpu: "500m", memory: "2048Mi" } },
    autoscaleEnabled: true,
    autoscaleMin: 1,
    autoscaleMax: 5,
    replicaCount: 1,
    nodeSelector: {},
    tolerations: [],
    affinity: {},
  };
  const global = {
    hub: release.hub.value,
    tag: release.hub.tag,
    variant: "",
    istioNamespace: "istio-system",
    imagePullPolicy: "",
    imagePullSecrets: [],
    configValidation: true,
    proxy: { image: "proxyv2", autoInject: "enabled" },
  };
  const common = { revision: "", meshConfig: { enablePrometheusMerge: true }, base: {}, global };
  return flat ? { ...own, ...common } : { pilot: own, ...common };
}

const TAG = "{{ .Values.global.tag }}{{ with .Values.global.variant }}-{{ . }}{{ end }}";

/** A value with a slash is a whole reference, in istiod and for the proxy alike (templates/deployment.yaml). */
function imageText(value: string): string {
  return `{{ if contains "/" ${value} }}{{ ${value} }}{{ else }}{{ .Values.global.hub }}/{{ ${value} }}:${TAG}{{ end }}`;
}

const ENV = [
  fieldEnv("POD_NAME", "metadata.name"),
  fieldEnv("POD_NAMESPACE"),
  { name: "REVISION", value: "default" },
];

function envList(): string {
  const fixed = ENV.map((item) => JSON.stringify(item)).join(", ");
  return `[${fixed}{{ range $k, $v := $p.env }}, {"name": {{ $k | quote }}, "value": {{ $v | toString | quote }}}{{ end }}]`;
}

function deployment(): KubeObject {
  const container = {
    name: "discovery",
    image: imageText("$p.image"),
    imagePullPolicy: optional(".Values.global.imagePullPolicy"),
    args: ["discovery", "--monitoringAddr=:15014", "--domain", "cluster.local"],
    ports: [
      { containerPort: 8080, name: "http-debug" },
      { containerPort: 15012, name: "tls-xds" },
      { containerPort: 15017, name: "https-webhooks" },
    ],
    readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 3 },
    env: helm(envList()),
    resources: helm("{{ toJson $p.resources }}"),
    securityContext: RESTRICTED,
  };
  const spec = {
    serviceAccountName: "istiod",
    nodeSelector: optional("$p.nodeSelector"),
    affinity: optional("$p.affinity"),
    tolerations: optional("$p.tolerations"),
    containers: [container],
  };
  const meta = {
    name: "istiod",
    namespace: "{{ .Release.Namespace }}",
    labels: { ...LABELS, istio: "pilot" },
  };
  return workload("Deployment", meta, {
    selector: { istio: "pilot" },
    podMeta: {
      labels: { app: "istiod", "istio.io/rev": "default", "sidecar.istio.io/inject": "false" },
    },
    spec,
  });
}

/** Keeps one istiod while nodes are drained. */
export const DISRUPTION_BUDGET: KubeObject = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: "istiod", namespace: "{{ .Release.Namespace }}", labels: LABELS },
  spec: { minAvailable: 1, selector: { matchLabels: { app: "istiod", istio: "pilot" } } },
};

/** Owns the replica count, which is why the Deployment names none. */
function autoscaler(): Doc {
  const spec = {
    maxReplicas: helm("{{ $p.autoscaleMax }}"),
    minReplicas: helm("{{ $p.autoscaleMin }}"),
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "istiod" },
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
      },
    ],
  };
  const metadata = { name: "istiod", namespace: "{{ .Release.Namespace }}", labels: LABELS };
  return {
    object: { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata, spec },
    when: "$p.autoscaleEnabled",
  };
}

function injectorWebhook(name: string, key: string, operator: string, values?: string[]): Webhook {
  const inject = { key: "sidecar.istio.io/inject", operator: "NotIn", values: ["false"] };
  return {
    name,
    service: "istiod",
    path: "/inject",
    rule: { groups: [""], versions: ["v1"], resources: ["pods"], operations: ["CREATE"] },
    extra: {
      reinvocationPolicy: "Never",
      namespaceSelector: { matchExpressions: [{ key, operator, ...(values ? { values } : {}) }] },
      objectSelector: { matchExpressions: [inject] },
    },
  };
}

/** The injector; its image comes from here and not from any pod, so a rewrite of containers never sees it. */
function injection(): KubeObject[] {
  const data = {
    config: INJECTOR_CONFIG,
    values: helm('{{ dict "global" .Values.global | toJson | quote }}'),
  };
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio-sidecar-injector", namespace: NAMESPACE, labels: LABELS },
      data,
    },
    webhookConfiguration(
      "Mutating",
      { name: "istio-sidecar-injector", labels: { ...LABELS, app: "sidecar-injector" } },
      [
        injectorWebhook("rev.namespace.sidecar-injector.istio.io", "istio.io/rev", "In", [
          "default",
        ]),
        injectorWebhook("rev.object.sidecar-injector.istio.io", "istio.io/rev", "DoesNotExist"),
        injectorWebhook("namespace.sidecar-injector.istio.io", "istio-injection", "In", [
          "enabled",
        ]),
        injectorWebhook("object.sidecar-injector.istio.io", "istio-injection", "DoesNotExist"),
      ],
    ),
  ];
}

function rbac(): KubeObject[] {
  const rules = [
    rule(
      "config.istio.io,security.istio.io,networking.istio.io,telemetry.istio.io,extensions.istio.io",
      "*",
      ALL,
    ),
    rule(
      "admissionregistration.k8s.io",
      "mutatingwebhookconfigurations,validatingwebhookconfigurations",
      "get,list,watch,update,patch",
    ),
    rule("gateway.networking.k8s.io", "*", "get,list,watch,update,patch"),
    rule(",discovery.k8s.io,networking.k8s.io", "*"),
  ];
  const deploys = [
    rule(
      ",apps,autoscaling,policy",
      "deployments,services,serviceaccounts,horizontalpodautoscalers,poddisruptionbudgets",
      ALL,
    ),
  ];
  const grant = (name: string, own: readonly unknown[], account = ACCOUNT): KubeObject[] => [
    role({ name, labels: LABELS }, own),
    binding({ name, labels: LABELS }, name, account),
  ];
  const meta = { name: "istiod", namespace: NAMESPACE, labels: LABELS };
  return [
    ...grant(`istiod-clusterrole-${NAMESPACE}`, rules),
    ...grant(`istiod-gateway-controller-${NAMESPACE}`, deploys),
    ...grant(`istio-reader-clusterrole-${NAMESPACE}`, [rule(",networking.istio.io", "*")], {
      name: "istio-reader-service-account",
      namespace: NAMESPACE,
    }),
    role(meta, [rule("", "secrets,configmaps", ALL), rule("coordination.k8s.io", "leases", ALL)]),
    binding(meta, "istiod", ACCOUNT),
  ];
}

/** Everything of the istiod chart but its validator. */
export function istiodDocs(pullSecrets: OptionalValue): Doc[] {
  const mesh = helm("{{ toYaml .Values.meshConfig | toJson }}");
  const ports = [
    { port: 15010, name: "grpc-xds" },
    { port: 15012, name: "https-dns" },
    { port: 443, name: "https-webhook", targetPort: 15017 },
    { port: 15014, name: "http-monitoring" },
  ];
  const meta = { name: "istiod", namespace: NAMESPACE, labels: { ...LABELS, istio: "pilot" } };
  const objects: KubeObject[] = [
    serviceAccount({ name: "istiod", namespace: NAMESPACE, labels: LABELS }, pullSecrets),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio", namespace: NAMESPACE, labels: LABELS },
      data: { meshNetworks: "networks: {}", mesh },
    },
    ...rbac(),
    service(meta, { app: "istiod", istio: "pilot" }, ports),
    deployment(),
    ...injection(),
  ];
  return [...objects.map((object) => ({ object })), autoscaler()];
}
