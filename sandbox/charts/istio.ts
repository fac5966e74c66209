/** Stand-in for Istio's base and istiod charts: definitions, reader account, validators. */
import semver from "semver";
import {
  type ChartModel,
  type Doc,
  type KubeObject,
  type ReleaseOf,
  type StandIns,
  helm,
  optional,
} from "./model.ts";
import { crd, serviceAccount, webhookConfiguration } from "./objects.ts";
import { DISRUPTION_BUDGET, istiodDocs, istiodValues } from "./istiod.ts";

type Istio = ReleaseOf<"istio">;

const NAMESPACE = "{{ .Values.global.istioNamespace }}";

/** Pull secrets are plain names in Istio's values, objects in a ServiceAccount. */
export const PULL_SECRETS = optional(
  ".Values.global.imagePullSecrets",
  '[{{ range $i, $s := . }}{{ if $i }}, {{ end }}{"name": {{ $s | quote }}}{{ end }}]',
);

/** From 1.24 the definitions are templates, before they sit in `crds/`. */
function hasCrdTemplates(release: Istio): boolean {
  return release.crds?.in === "chart-templates";
}

function definition(release: Istio, item: NonNullable<Istio["crds"]>["items"][number]): KubeObject {
  const labels = hasCrdTemplates(release)
    ? {
        "app.kubernetes.io/managed-by": "{{ .Release.Service }}",
        "app.kubernetes.io/part-of": "istio",
      }
    : { app: "istio-pilot", chart: "istio", heritage: "Tiller", release: "istio" };
  // Upstream forgot the annotation on one definition for years, so it is a fact of each of them.
  const annotations = item.keep === true ? { "helm.sh/resource-policy": "keep" } : {};
  return crd(item, { labels, annotations });
}

/**
 * `Ignore` until istiod has written `Fail` itself, which a server-side apply sees as a conflict; releases that have the
 * value let the chart say it (manifests/charts/base/templates/defaultrevision-validatingwebhookconfiguration.yaml).
 */
function failurePolicy(release: Istio): unknown {
  return release.validationFailurePolicy.supported
    ? helm('{{ .Values.base.validationFailurePolicy | default "Ignore" }}')
    : "Ignore";
}

const VALIDATED = {
  groups: ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"],
  versions: ["*"],
  resources: ["*"],
  operations: ["CREATE", "UPDATE"],
};

function validator(
  release: Istio,
  name: string,
  webhook: string,
  extra: Record<string, unknown> = {},
): KubeObject {
  const labels = {
    app: "istiod",
    release: "{{ .Release.Name }}",
    istio: "istiod",
    "istio.io/rev": "default",
  };
  return webhookConfiguration("Validating", { name, labels }, [
    {
      name: webhook,
      service: "istiod",
      path: "/validate",
      rule: VALIDATED,
      failurePolicy: failurePolicy(release),
      extra,
    },
  ]);
}

function baseDocs(): Doc[] {
  const labels = { app: "istio-reader", release: "{{ .Release.Name }}" };
  const reader = serviceAccount(
    { name: "istio-reader-service-account", namespace: NAMESPACE, labels },
    PULL_SECRETS,
  );
  return [{ object: reader }];
}

function baseChart(release: Istio, name: string, version: string): ChartModel {
  const items = release.crds?.items ?? [];
  const templated = hasCrdTemplates(release);
  const definitions = items.map((item): Doc => ({
    object: definition(release, item),
    when: `not (has ${JSON.stringify(item.name)} .Values.base.excludedCRDs)`,
  }));
  const defaultValidator = validator(release, "istiod-default-validator", "validation.istio.io");
  return {
    name,
    version,
    values: {
      defaultRevision: "default",
      global: { istioNamespace: "istio-system", imagePullSecrets: [] },
      base: { enableIstioConfigCRDs: true, excludedCRDs: [] },
    },
    templates: {
      "crds.yaml": { docs: templated ? definitions : [] },
      "base.yaml": {
        docs: [...baseDocs(), { object: defaultValidator, when: 'ne .Values.defaultRevision ""' }],
      },
    },
    ...(templated ? {} : { crdsFolder: items.map((item) => definition(release, item)) }),
  };
}

/** `global.configValidation` exists, and is on, from 1.22 (istio-discovery/values.yaml). */
function revisionValidator(release: Istio): Doc[] {
  if (semver.lt(release.version, "1.22.0")) return [];
  const objectSelector = {
    matchExpressions: [{ key: "istio.io/rev", operator: "In", values: ["default"] }],
  };
  const object = validator(release, `istio-validator-${NAMESPACE}`, "rev.validation.istio.io", {
    objectSelector,
  });
  return [{ object, when: ".Values.global.configValidation" }];
}

/** Up to 1.27 always; later only with more than one replica (templates/poddisruptionbudget.yaml). */
function disruptionDocs(release: Istio): Doc[] {
  const many =
    "or (and $p.autoscaleEnabled (gt (int $p.autoscaleMin) 1)) (and (not $p.autoscaleEnabled) (gt (int $p.replicaCount) 1))";
  return [
    { object: DISRUPTION_BUDGET, ...(semver.lt(release.version, "1.28.0") ? {} : { when: many }) },
  ];
}

/** The values that the chart was rendered with, for tools; came with the flat values of 1.24. */
function valuesDocs(flat: boolean): Doc[] {
  const metadata = {
    name: "values",
    namespace: "{{ .Release.Namespace }}",
    labels: { release: "{{ .Release.Name }}" },
  };
  const data = { "merged-values": helm("{{ toPrettyJson .Values | quote }}") };
  return flat ? [{ object: { apiVersion: "v1", kind: "ConfigMap", metadata, data } }] : [];
}

function istiodChart(release: Istio, name: string, version: string): ChartModel {
  const flat = hasCrdTemplates(release);
  // From 1.24 istiod's own settings are top level and `pilot.*` is copied up; before, only `pilot.*` is read.
  const prelude = flat
    ? "{{- $p := mergeOverwrite (deepCopy .Values) (.Values.pilot | default dict) }}"
    : "{{- $p := .Values.pilot }}";
  return {
    name,
    version,
    values: istiodValues(release, flat),
    templates: {
      "istiod.yaml": {
        prelude,
        docs: [
          ...istiodDocs(PULL_SECRETS),
          ...disruptionDocs(release),
          ...valuesDocs(flat),
          ...revisionValidator(release),
        ],
      },
    },
  };
}

/** The charts of one Istio release, by their catalog roles. */
export function istioStandIns(release: Istio): StandIns {
  const charts = release.charts.map(({ role, name, version }) =>
    role === "base" ? baseChart(release, name, version) : istiodChart(release, name, version),
  );
  return { charts, manifests: [] };
}
