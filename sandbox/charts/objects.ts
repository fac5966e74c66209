/** Builders for the kinds that several stand-in charts share. */
import type { KubeObject, OptionalValue, Release } from "./model.ts";

type CrdItem = NonNullable<Release["crds"]>["items"][number];

/** Namespace of the release, as a Helm expression that stays a string. */
export const RELEASE_NAMESPACE = "{{ .Release.Namespace }}";

type Labels = Readonly<Record<string, string>>;

interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: unknown;
}

/**
 * A CustomResourceDefinition that accepts anything: right name, kind, scope and versions, no field schema.
 *
 * `status` is a subresource, because the sandbox's stages write it that way.
 */
export function crd(
  item: CrdItem,
  extra: Omit<Meta, "name"> & { conversion?: unknown } = {},
): KubeObject {
  const [plural = "", ...rest] = item.name.split(".");
  const { conversion, ...meta } = extra;
  const [storage] = item.versions;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: item.name, ...meta },
    spec: {
      group: rest.join("."),
      names: {
        kind: item.kind,
        listKind: `${item.kind}List`,
        plural,
        singular: item.kind.toLowerCase(),
      },
      scope: item.scope,
      conversion,
      versions: item.versions.map((name) => ({
        name,
        served: true,
        storage: name === storage,
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
        subresources: { status: {} },
      })),
    },
  };
}

/** Groups under `k8s.io` are protected: the API server wants this annotation on their definitions. */
export function approvedAnnotation(name: string): Labels {
  return name.endsWith(".k8s.io") ? { "api-approved.kubernetes.io": "unapproved, stand-in" } : {};
}

/** A ServiceAccount; pull secrets where upstream has a value for them. */
export function serviceAccount(meta: Meta, imagePullSecrets?: OptionalValue): KubeObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...meta }, imagePullSecrets };
}

/** A rule of a role: groups, resources, verbs, comma separated. */
export function rule(apiGroups: string, resources: string, verbs = "get,list,watch"): unknown {
  return {
    apiGroups: apiGroups.split(","),
    resources: resources.split(","),
    verbs: verbs.split(","),
  };
}

/** A Role when the metadata names a namespace, else a ClusterRole. */
export function role(
  meta: Meta,
  rules: readonly unknown[],
  extra: Record<string, unknown> = {},
): KubeObject {
  const kind = meta.namespace === undefined ? "ClusterRole" : "Role";
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    metadata: { ...meta },
    ...extra,
    rules,
  };
}

/** Binds a role of the same scope to one ServiceAccount. */
export function binding(
  meta: Meta,
  roleName: string,
  account: { name: string; namespace: string },
): KubeObject {
  const scope = meta.namespace === undefined ? "Cluster" : "";
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: `${scope}RoleBinding`,
    metadata: { ...meta },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: `${scope}Role`, name: roleName },
    subjects: [{ kind: "ServiceAccount", ...account }],
  };
}

interface Port {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
}

/** A ClusterIP Service with a selector. */
export function service(meta: Meta, selector: Labels, ports: readonly Port[]): KubeObject {
  return { apiVersion: "v1", kind: "Service", metadata: { ...meta }, spec: { selector, ports } };
}

interface PodOptions {
  readonly selector: Labels;
  readonly podMeta?: { readonly labels?: Labels; readonly annotations?: unknown };
  readonly spec: Record<string, unknown>;
}

/** A Deployment or DaemonSet. */
export function workload(
  kind: "Deployment" | "DaemonSet",
  meta: Meta,
  pod: PodOptions,
): KubeObject {
  const labels = { ...pod.podMeta?.labels, ...pod.selector };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { ...meta },
    spec: {
      selector: { matchLabels: pod.selector },
      template: { metadata: { ...pod.podMeta, labels }, spec: pod.spec },
    },
  };
}

/** One webhook of a configuration; `rule` is an admission rule. */
export interface Webhook {
  readonly name: string;
  readonly service: string;
  readonly path: string;
  readonly rule: {
    readonly groups: string[];
    readonly versions: string[];
    readonly resources: string[];
    readonly operations: string[];
  };
  readonly failurePolicy?: unknown;
  readonly extra?: Record<string, unknown>;
}

function webhookBody(webhook: Webhook): Record<string, unknown> {
  const { groups, versions, resources, operations } = webhook.rule;
  return {
    name: webhook.name,
    clientConfig: {
      service: { name: webhook.service, namespace: RELEASE_NAMESPACE, path: webhook.path },
    },
    failurePolicy: webhook.failurePolicy ?? "Fail",
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    rules: [{ apiGroups: groups, apiVersions: versions, operations, resources }],
    ...webhook.extra,
  };
}

/** A validating or mutating webhook configuration. */
export function webhookConfiguration(
  kind: "Validating" | "Mutating",
  meta: Meta,
  webhooks: readonly Webhook[],
): KubeObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: `${kind}WebhookConfiguration`,
    metadata: { ...meta },
    webhooks: webhooks.map(webhookBody),
  };
}

/** A field of the running pod as an environment variable. */
export function fieldEnv(name: string, fieldPath = "metadata.namespace"): unknown {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

/** The restricted security context that all these charts give their containers. */
export const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
} as const;
