/** Stand-in for the cert-manager chart: three Deployments, their access rights, webhooks, and the start-up hook. */
import semver from "semver";
import {
  type ChartModel,
  type Doc,
  type ReleaseOf,
  type StandIns,
  helm,
  optional,
  setPath,
} from "./model.ts";
import { crd, serviceAccount } from "./objects.ts";
import { NAME, NAMESPACE, certManagerLabels, hookAnnotations } from "./cert-manager-names.ts";
import { certManagerRbac } from "./cert-manager-rbac.ts";
import { certManagerWorkloads } from "./cert-manager-workloads.ts";

type CertManager = ReleaseOf<"cert-manager">;

/**
 * Names derive from the Helm release name (cert-manager/cert-manager:templates/_helpers.tpl), so that a release with a
 * generated name shows the same odd names as upstream.
 */
const PRELUDE = [
  '{{- $name := .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-cert-manager" .Release.Name) (contains "cert-manager" .Release.Name)) | trunc 63 | trimSuffix "-" }}',
  "{{- $ns := .Values.namespace | default .Release.Namespace }}",
  "{{- $leader := .Values.global.leaderElection.namespace }}",
  "{{- $pull := .Values.global.imagePullSecrets }}",
].join("\n");

/** `crds.*` came with 1.15; before it only `installCRDs` is read. */
function hasCrdsValues(release: CertManager): boolean {
  return semver.gte(release.version, "1.15.0");
}

function crdDocs(release: CertManager): Doc[] {
  const modern = hasCrdsValues(release);
  const keep = helm(
    '{{ if .Values.crds.keep }}{"helm.sh/resource-policy": "keep"}{{ else }}{}{{ end }}',
  );
  const labels = certManagerLabels(release, "crds");
  return (release.crds?.items ?? []).map((item) => ({
    object: crd(item, { labels, ...(modern ? { annotations: keep } : {}) }),
    when: modern ? "or .Values.crds.enabled .Values.installCRDs" : ".Values.installCRDs",
  }));
}

/** From 1.15 to 1.18 both ways of asking for CRDs at once are an error (templates/_helpers.tpl, cert-manager.crd-check). */
function crdPrelude(release: CertManager): string {
  if (!semver.satisfies(release.version, ">=1.15.0 <1.19.0")) return PRELUDE;
  return `${PRELUDE}\n{{- if and .Values.crds.enabled .Values.installCRDs }}{{ fail "ERROR: the deprecated .installCRDs option cannot be enabled at the same time as its replacement .crds.enabled" }}{{ end }}`;
}

function accountDocs(release: CertManager): Doc[] {
  const secrets = optional("$pull");
  const account = (component: string, suffix: string): Doc => ({
    object: serviceAccount(
      {
        name: `${NAME}${suffix}`,
        namespace: NAMESPACE,
        labels: certManagerLabels(release, component),
      },
      secrets,
    ),
  });
  const check = account("startupapicheck", "-startupapicheck").object;
  const metadata = { ...check.metadata, annotations: hookAnnotations(-5) };
  return [
    account("cainjector", "-cainjector"),
    account("controller", ""),
    account("webhook", "-webhook"),
    { object: { ...check, metadata }, when: ".Values.startupapicheck.enabled" },
  ];
}

/** The tag stays empty where it is the chart's own, as upstream has it: appVersion stands in for it. */
function imagePart(part: string, reference: string, version: string): string {
  const [repository = "", tag = ""] = reference.split(":");
  if (part === "repository") return repository;
  return part === "tag" && tag !== `v${version}` ? tag : "";
}

function setImages(release: CertManager, values: Record<string, unknown>): void {
  for (const image of release.images) {
    const paths = Object.entries(image.values ?? {});
    for (const [part, path] of paths) {
      setPath(values, path, imagePart(part, image.image, release.version));
    }
    const [, repository] = paths.find(([part]) => part === "repository") ?? [];
    if (repository === undefined) continue;
    setPath(values, repository.replace(/repository$/, "pullPolicy"), "IfNotPresent");
  }
}

function values(release: CertManager): Record<string, unknown> {
  const result: Record<string, unknown> = {
    global: { imagePullSecrets: [], logLevel: 2, leaderElection: { namespace: "kube-system" } },
    installCRDs: false,
    replicaCount: 1,
    resources: {},
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [],
    affinity: {},
    extraArgs: [],
    podAnnotations: {},
    prometheus: { enabled: true, servicemonitor: { enabled: false } },
    webhook: { replicaCount: 1, timeoutSeconds: 30, resources: {}, tolerations: [], affinity: {} },
    cainjector: { enabled: true, replicaCount: 1, resources: {}, tolerations: [], affinity: {} },
    startupapicheck: { enabled: true, timeout: "1m", backoffLimit: 4 },
  };
  if (hasCrdsValues(release)) result["crds"] = { enabled: false, keep: true };
  setImages(release, result);
  return result;
}

/** The typed inputs of the Pulumi package pass or fail here as with the real chart: at the top level. */
function schema(release: CertManager): Record<string, unknown> | undefined {
  const { closed = false, keys = [] } = release.valuesSchema ?? {};
  if (!closed) return undefined;
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: Object.fromEntries(keys.map((key) => [key, {}])),
    additionalProperties: false,
  };
}

function chart(release: CertManager, name: string, version: string): ChartModel {
  const found = schema(release);
  return {
    name,
    version,
    kubeVersion: ">= 1.22.0-0",
    values: values(release),
    ...(found ? { schema: found } : {}),
    templates: {
      "crds.yaml": { prelude: crdPrelude(release), docs: crdDocs(release) },
      "serviceaccounts.yaml": { prelude: PRELUDE, docs: accountDocs(release) },
      "rbac.yaml": { prelude: PRELUDE, docs: certManagerRbac(release) },
      "workloads.yaml": { prelude: PRELUDE, docs: certManagerWorkloads(release) },
    },
  };
}

/** The chart, and the manifest that stands in for `cert-manager.crds.yaml`. */
export function certManagerStandIns(release: CertManager): StandIns {
  const items = release.crds?.items ?? [];
  // The static manifest is the chart rendered without Helm: it carries no keep annotation.
  const labels = {
    app: "cert-manager",
    "app.kubernetes.io/component": "crds",
    "app.kubernetes.io/version": `v${release.version}`,
  };
  return {
    charts: release.charts.map(({ name, version }) => chart(release, name, version)),
    manifests: release.manifests.map(({ file }) => ({
      file,
      objects: items.map((item) => crd(item, { labels })),
    })),
  };
}
