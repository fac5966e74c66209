/** The controller chart of the KServe stand-in: manager, webhooks, certificate, ConfigMap, shared objects. */
import { type KServe, type UsedBy, imageText, isSplit, workloadsOf } from "./kserve-images.ts";
import {
  RESOURCES,
  certificate,
  gatewayDocs,
  inNamespace,
  optionalValue,
  selectorOf,
  sharedDocs,
  valueOf,
} from "./kserve-objects.ts";
import { controllerWebhooks } from "./kserve-webhooks.ts";
import {
  type CatalogImage,
  type Doc,
  type KubeObject,
  type OptionalValue,
  helm,
  optional,
} from "./model.ts";
import {
  RELEASE_NAMESPACE,
  RESTRICTED,
  binding,
  fieldEnv,
  role,
  rule,
  service,
  serviceAccount,
  workload,
} from "./objects.ts";

const ALL = "get,list,watch,create,update,patch,delete";
const GROUP = "serving.kserve.io";

function container(release: KServe, used: UsedBy): Record<string, unknown> {
  const manager = used.container === "manager";
  const resources = valueOf(release, manager ? "controllerResources" : "rbacProxyResources");
  const own = manager && used.image.name === "controller";
  return {
    name: used.container,
    image: imageText(release, used.image),
    ...(manager ? { command: ["/manager"], args: ["--leader-elect"] } : {}),
    env: [fieldEnv("POD_NAMESPACE"), { name: "SECRET_NAME", value: "kserve-webhook-server-cert" }],
    ports: manager
      ? [{ containerPort: 9443, name: "webhook-server", protocol: "TCP" }]
      : [{ containerPort: 8443, name: "https", protocol: "TCP" }],
    resources:
      resources !== undefined && (own || !manager) ? helm(`{{ toJson ${resources} }}`) : RESOURCES,
    securityContext: RESTRICTED,
  };
}

/** The LLM charts take a list of names here, and print whatever else they find. */
export function llmPullSecrets(release: KServe): OptionalValue | undefined {
  const value = valueOf(release, "llmControllerImagePullSecrets");
  if (value === undefined) return undefined;
  const item = '{"name": {{ toString $name | quote }}}';
  return optional(value, `[{{ range $at, $name := . }}{{ if $at }}, {{ end }}${item}{{ end }}]`);
}

/** Workloads of a chart's images, grouped by object; scheduling values belong to the main controller only. */
export function workloadDocs(release: KServe, images: readonly CatalogImage[]): KubeObject[] {
  const used = workloadsOf(images);
  const names = [...new Set(used.map((item) => item.workload))];
  return names.map((name) => {
    const mine = used.filter((item) => item.workload === name);
    const main = name === release.controller.deployment;
    const placement = {
      nodeSelector: optionalValue(release, "controllerNodeSelector"),
      affinity: optionalValue(release, "controllerAffinity"),
      tolerations: optionalValue(release, "controllerTolerations"),
    };
    const annotations = optionalValue(release, "controllerPodAnnotations");
    return workload(mine[0]?.kind ?? "Deployment", inNamespace(name, selectorOf(name)), {
      selector: selectorOf(name),
      podMeta: {
        labels: { "app.kubernetes.io/name": name },
        ...(main && annotations ? { annotations } : {}),
      },
      spec: {
        serviceAccountName: name,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        containers: mine.map((item) => container(release, item)),
        imagePullSecrets:
          name === release.llm?.controller.deployment ? llmPullSecrets(release) : undefined,
        ...(main ? placement : {}),
      },
    });
  });
}

function rbac(release: KServe): KubeObject[] {
  const account = { name: release.controller.deployment, namespace: RELEASE_NAMESPACE };
  const rules = [
    rule(GROUP, "*", ALL),
    rule(
      "serving.knative.dev,networking.istio.io,gateway.networking.k8s.io,networking.k8s.io",
      "*",
      ALL,
    ),
    rule(",apps,autoscaling", "*", ALL),
    rule(
      "admissionregistration.k8s.io",
      "mutatingwebhookconfigurations,validatingwebhookconfigurations",
      ALL,
    ),
  ];
  const proxy = [
    rule("authentication.k8s.io", "tokenreviews", "create"),
    rule("authorization.k8s.io", "subjectaccessreviews", "create"),
  ];
  return [
    role({ name: "kserve-manager-role" }, rules),
    binding({ name: "kserve-manager-rolebinding" }, "kserve-manager-role", account),
    role({ name: "kserve-proxy-role" }, proxy),
    binding({ name: "kserve-proxy-rolebinding" }, "kserve-proxy-role", account),
    role(inNamespace("kserve-leader-election-role"), [rule("coordination.k8s.io", "leases", ALL)]),
    binding(
      inNamespace("kserve-leader-election-rolebinding"),
      "kserve-leader-election-role",
      account,
    ),
  ];
}

function services(release: KServe): KubeObject[] {
  const { deployment, webhookService } = release.controller;
  const selector = selectorOf(deployment);
  const https = [{ name: "https", port: 8443, targetPort: "https" }];
  return [
    service(inNamespace(webhookService), { "control-plane": deployment }, [
      { port: 443, targetPort: "webhook-server" },
    ]),
    service(inNamespace(`${deployment}-service`, selector), selector, https),
    ...(isSplit(release)
      ? [service(inNamespace(`${deployment}-metrics-service`, selector), selector, https)]
      : []),
  ];
}

/** Kinds that the charts before 0.17 leave to the namespace of whoever applies them. */
const PLACED_BY_CALLER = new Set(["ServiceAccount", "Role", "RoleBinding"]);

function asPublished(release: KServe, object: KubeObject): KubeObject {
  if (isSplit(release) || !PLACED_BY_CALLER.has(object.kind)) return object;
  const { namespace: _namespace, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Everything of the controller chart but runtimes and local models. */
export function controllerDocs(release: KServe): Doc[] {
  const { deployment, webhookService, certificate: cert } = release.controller;
  const secrets = optionalValue(release, "controllerImagePullSecrets");
  const images = release.images.filter(
    (image) =>
      image.chart === "controller" && image.optional === undefined && image.modes === undefined,
  );
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: inNamespace("kserve-webhook-server-secret"),
  };
  const objects = [
    serviceAccount(inNamespace(deployment), secrets),
    ...(isSplit(release) ? [secret] : []),
    ...rbac(release),
    ...services(release),
    ...workloadDocs(release, images),
    certificate(cert, webhookService, "kserve-webhook-server-cert"),
    ...controllerWebhooks(release),
  ];
  return [
    ...sharedDocs(release),
    ...objects.map((object) => ({ object: asPublished(release, object) })),
    ...gatewayDocs(release),
  ];
}
