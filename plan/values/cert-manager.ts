import type { Settings } from "../../config/schema.ts";
import type { Problem } from "../../problems/problem.ts";
import type { ImageMap } from "../../images/image-map.ts";
import type { ReleaseOf } from "../../versions/schema.ts";
import type { Values } from "../plan.ts";
import { imageValues } from "./images.ts";
import { mergeValues } from "./merge.ts";

const IMAGE = ["digest", "pullPolicy", "registry", "repository", "tag"] as const;

/**
 * Typed inputs of @pulumi/kubernetes-cert-manager 0.2.0 that the chart also knows, with the keys that each passes on;
 * `"*"` stands for any. Whatever else is set below a typed key never reaches the chart
 * (pulumi/pulumi-kubernetes-cert-manager@v0.2.0:provider/cmd/pulumi-resource-kubernetes-cert-manager/schema.json).
 */
export const CERT_MANAGER_TYPED_KEYS: Readonly<Record<string, "*" | readonly string[]>> = {
  affinity: "*",
  cainjector: [
    "affinity",
    "containerSecurityContext",
    "deploymentAnnotations",
    "extraArgs",
    "image",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "replicaCount",
    "resources",
    "serviceAccount",
    "strategy",
    "tolerations",
  ],
  clusterResourceNamespace: "*",
  containerSecurityContext: "*",
  deploymentAnnotations: "*",
  extraArgs: "*",
  extraEnv: "*",
  featureGates: "*",
  global: ["imagePullSecrets", "leaderElection", "logLevel", "priorityClassName", "rbac"],
  http_proxy: "*",
  https_proxy: "*",
  image: IMAGE,
  ingressShim: "*",
  podAnnotations: "*",
  podDnsConfig: "*",
  podDnsPolicy: "*",
  podLabels: "*",
  prometheus: ["enabled"],
  replicaCount: "*",
  resources: "*",
  securityContext: "*",
  serviceAccount: ["annotations", "automountServiceAccountToken", "create", "name"],
  serviceAnnotations: "*",
  serviceLabels: "*",
  startupapicheck: [
    "affinity",
    "backoffLimit",
    "enabled",
    "extraArgs",
    "image",
    "jobAnnotations",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "rbac",
    "resources",
    "securityContext",
    "serviceAccount",
    "timeout",
    "tolerations",
  ],
  strategy: "*",
  tolerations: "*",
  webhook: [
    "affinity",
    "containerSecurityContext",
    "deploymentAnnotations",
    "extraArgs",
    "hostNetwork",
    "image",
    "livenessProbe",
    "loadBalancerIP",
    "mutatingWebhookConfigurationAnnotations",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "readinessProbe",
    "replicaCount",
    "resources",
    "securePort",
    "serviceAccount",
    "serviceAnnotations",
    "serviceLabels",
    "serviceType",
    "strategy",
    "timeoutSeconds",
    "tolerations",
    "url",
    "validatingWebhookConfigurationAnnotations",
  ],
};

/** Chart values that the package would lose on the way, as problems. */
export function lostCertManagerValues(values: Values): Problem[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const passed = CERT_MANAGER_TYPED_KEYS[key];
    if (passed === undefined || passed === "*") return [];
    const lost = Object.keys(value ?? {}).filter((inner) => !passed.includes(inner));
    return lost.map((inner) => lostValue(`${key}.${inner}`, passed));
  });
}

function lostValue(path: string, passed: readonly string[]): Problem {
  return {
    code: "config-value-lost",
    level: "block",
    where: `kserve:certManager.values.${path}`,
    found: "a chart value that @pulumi/kubernetes-cert-manager 0.2.0 does not pass on",
    allowed: `below ${path.split(".")[0] ?? ""}: ${passed.join(", ")}`,
    source: "pulumi/pulumi-go-helmbase@v0.2.0:base.go",
    fix: `remove kserve:certManager.values.${path}`,
  };
}

/**
 * Values of the cert-manager chart. CRDs have a path of their own (see components/cert-manager.ts), so the release
 * itself installs none: Helm refuses CRDs that it did not create. Its start-up check is off: components/readiness/ asks
 * the webhook the same, while a pod of the check would hold Helm up for a minute and more, and without an end where its
 * image is missing.
 */
export function certManagerValues(
  release: ReleaseOf<"cert-manager">,
  settings: Settings,
  context: { readonly map: ImageMap; readonly pullSecret: string | undefined },
): Values {
  const { replicas, resources, values } = settings.certManager;
  return mergeValues(
    { crds: { enabled: false }, startupapicheck: { enabled: false } },
    ...release.images.map((image) => imageValues(image, context.map)),
    context.pullSecret === undefined
      ? {}
      : { global: { imagePullSecrets: [{ name: context.pullSecret }] } },
    replicas === undefined ? {} : { replicaCount: replicas },
    resources === undefined ? {} : { resources },
    values,
  );
}
