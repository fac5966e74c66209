/** Deployments, Services, webhooks and the start-up hook of the cert-manager stand-in. */
import { NAME, NAMESPACE, certManagerLabels, hookAnnotations } from "./cert-manager-names.ts";
import { type Doc, type KubeObject, type ReleaseOf, helm, optional } from "./model.ts";
import { RESTRICTED, fieldEnv, service, webhookConfiguration, workload } from "./objects.ts";

type CertManager = ReleaseOf<"cert-manager">;

/**
 * `[registry/]repository[:tag][@digest]` from one image block of the values (templates/_helpers.tpl, cert-manager.image).
 *
 * A digest drops the tag, as upstream does up to 1.19.
 */
function imageText(root: string): string {
  const image = `.Values.${root}`;
  return (
    `{{ with ${image}.registry }}{{ . }}/{{ end }}{{ ${image}.repository }}` +
    `{{ if ${image}.digest }}@{{ ${image}.digest }}{{ else }}:{{ ${image}.tag | default $.Chart.AppVersion }}{{ end }}`
  );
}

interface Component {
  readonly name: string;
  /** Suffix of the object names. */
  readonly suffix: string;
  /** Container name. */
  readonly container: string;
  /** Values block of the component, with a dot at its end (`webhook.`), or nothing for the controller. */
  readonly block: string;
  readonly args: readonly string[];
  readonly ports: readonly { name: string; containerPort: number }[];
}

const METRICS = { name: "http-metrics", containerPort: 9402 };

const COMPONENTS: readonly Component[] = [
  {
    name: "cainjector",
    suffix: "-cainjector",
    container: "cert-manager-cainjector",
    block: "cainjector.",
    args: ["--leader-election-namespace={{ $leader }}"],
    ports: [METRICS],
  },
  {
    name: "controller",
    suffix: "",
    container: "cert-manager-controller",
    block: "",
    args: [
      "--cluster-resource-namespace=$(POD_NAMESPACE)",
      "--leader-election-namespace={{ $leader }}",
      `--acme-http01-solver-image=${imageText("acmesolver.image")}`,
      "--max-concurrent-challenges=60",
    ],
    ports: [METRICS, { name: "http-healthz", containerPort: 9403 }],
  },
  {
    name: "webhook",
    suffix: "-webhook",
    container: "cert-manager-webhook",
    block: "webhook.",
    args: [
      "--secure-port=10250",
      "--dynamic-serving-ca-secret-namespace=$(POD_NAMESPACE)",
      `--dynamic-serving-ca-secret-name=${NAME}-webhook-ca`,
      `--dynamic-serving-dns-names=${NAME}-webhook.$(POD_NAMESPACE).svc`,
    ],
    ports: [
      { name: "https", containerPort: 10250 },
      { name: "healthcheck", containerPort: 6080 },
      METRICS,
    ],
  },
];

function selectorOf(release: CertManager, component: string): Record<string, string> {
  const labels = certManagerLabels(release, component);
  const keys = [
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
  ];
  return Object.fromEntries(keys.map((key) => [key, labels[key] ?? ""]));
}

/** Fixed arguments, then those of the values, as one flow list. */
function argList(args: readonly string[], extra: string): string {
  return `[${args.map((arg) => JSON.stringify(arg)).join(", ")}{{ range ${extra} }}, {{ . | quote }}{{ end }}]`;
}

function container(c: Component): Record<string, unknown> {
  return {
    name: c.container,
    image: imageText(`${c.block}image`),
    imagePullPolicy: `{{ .Values.${c.block}image.pullPolicy }}`,
    args: helm(
      argList(["--v={{ .Values.global.logLevel }}", ...c.args], `.Values.${c.block}extraArgs`),
    ),
    ports: c.ports.map((port) => ({ ...port, protocol: "TCP" })),
    env: [fieldEnv("POD_NAMESPACE")],
    resources: optional(`.Values.${c.block}resources`),
    securityContext: RESTRICTED,
  };
}

function podSpec(c: Component): Record<string, unknown> {
  return {
    serviceAccountName: `${NAME}${c.suffix}`,
    enableServiceLinks: false,
    imagePullSecrets: optional("$pull"),
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container(c)],
    nodeSelector: { "kubernetes.io/os": "linux" },
    affinity: optional(`.Values.${c.block}affinity`),
    tolerations: optional(`.Values.${c.block}tolerations`),
  };
}

function deployment(release: CertManager, c: Component): KubeObject {
  const labels = certManagerLabels(release, c.name);
  const meta = { name: `${NAME}${c.suffix}`, namespace: NAMESPACE, labels };
  const object = workload("Deployment", meta, {
    selector: selectorOf(release, c.name),
    podMeta: { labels },
    spec: podSpec(c),
  });
  return {
    ...object,
    spec: { replicas: helm(`{{ .Values.${c.block}replicaCount }}`), ...(object["spec"] as object) },
  };
}

function services(release: CertManager): Doc[] {
  return COMPONENTS.map((c) => {
    const meta = {
      name: `${NAME}${c.suffix}`,
      namespace: NAMESPACE,
      labels: certManagerLabels(release, c.name),
    };
    const metrics = {
      name: c.name === "webhook" ? "metrics" : "http-metrics",
      port: 9402,
      targetPort: "http-metrics",
    };
    const https = { name: "https", port: 443, targetPort: "https" };
    const object = service(
      meta,
      selectorOf(release, c.name),
      c.name === "webhook" ? [https, metrics] : [metrics],
    );
    return c.name === "webhook" ? { object } : { object, when: ".Values.prometheus.enabled" };
  });
}

function webhooks(release: CertManager): Doc[] {
  const meta = {
    name: `${NAME}-webhook`,
    labels: certManagerLabels(release, "webhook"),
    annotations: { "cert-manager.io/inject-ca-from-secret": `${NAMESPACE}/${NAME}-webhook-ca` },
  };
  const common = {
    name: "webhook.cert-manager.io",
    service: `${NAME}-webhook`,
    extra: {
      matchPolicy: "Equivalent",
      timeoutSeconds: helm("{{ .Values.webhook.timeoutSeconds }}"),
    },
  };
  const namespaceSelector = {
    matchExpressions: [
      { key: "cert-manager.io/disable-validation", operator: "NotIn", values: ["true"] },
    ],
  };
  const groups = ["cert-manager.io", "acme.cert-manager.io"];
  return [
    webhookConfiguration("Mutating", meta, [
      {
        ...common,
        path: "/mutate",
        rule: {
          groups: ["cert-manager.io"],
          versions: ["v1"],
          resources: ["certificaterequests"],
          operations: ["CREATE"],
        },
      },
    ]),
    webhookConfiguration("Validating", meta, [
      {
        ...common,
        extra: { ...common.extra, namespaceSelector },
        path: "/validate",
        rule: { groups, versions: ["v1"], resources: ["*/*"], operations: ["CREATE", "UPDATE"] },
      },
    ]),
  ].map((object) => ({ object }));
}

/** The hook that upstream runs after the install, to see whether the API answers. */
function startupCheck(release: CertManager): Doc {
  const labels = certManagerLabels(release, "startupapicheck");
  const name = `${NAME}-startupapicheck`;
  const spec = {
    restartPolicy: "OnFailure",
    serviceAccountName: name,
    imagePullSecrets: optional("$pull"),
    containers: [
      {
        name: "cert-manager-startupapicheck",
        image: imageText("startupapicheck.image"),
        args: ["check", "api", "--wait={{ .Values.startupapicheck.timeout }}", "-v"],
        securityContext: RESTRICTED,
      },
    ],
  };
  return {
    when: ".Values.startupapicheck.enabled",
    object: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name, namespace: NAMESPACE, labels, annotations: hookAnnotations(1) },
      spec: {
        backoffLimit: helm("{{ .Values.startupapicheck.backoffLimit }}"),
        template: { metadata: { labels }, spec },
      },
    },
  };
}

/** Everything that runs or is called, in upstream's order. */
export function certManagerWorkloads(release: CertManager): Doc[] {
  const deployments = COMPONENTS.map((c) => ({ object: deployment(release, c) }));
  return [...services(release), ...deployments, ...webhooks(release), startupCheck(release)];
}
