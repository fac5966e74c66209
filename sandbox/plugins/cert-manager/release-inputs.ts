import { containsOutput, isOutputLike, isPlainObject, lowerOutputs } from "./property-values.ts";
import type { Json, JsonObject } from "./property-values.ts";

const SOURCE = "pulumi/pulumi-kubernetes-cert-manager@v0.2.0:provider/pkg/provider/chart.go";
const DEFAULT_CHART = "cert-manager";
const DEFAULT_REPO = "https://charts.jetstack.io";

/** Typed inputs that take outputs (chart.go: the fields with an `…PtrInput` type). */
const INPUT_KEYS = [
  "global",
  "image",
  "serviceAccount",
  "ingressShim",
  "prometheus",
  "webhook",
  "cainjector",
  "startupapicheck",
] as const;

/** Typed inputs that take plain values only (chart.go: all other fields but `helmOptions`). */
const PLAIN_KEYS = [
  "affinity",
  "clusterResourceNamespace",
  "containerSecurityContext",
  "deploymentAnnotations",
  "extraArgs",
  "extraEnv",
  "extraVolumeMounts",
  "extraVolumes",
  "featureGates",
  "http_proxy",
  "https_proxy",
  "installCRDs",
  "no_proxy",
  "nodeSelector",
  "podAnnotations",
  "podDnsConfig",
  "podDnsPolicy",
  "podLabels",
  "replicaCount",
  "resources",
  "securityContext",
  "serviceAnnotations",
  "serviceLabels",
  "strategy",
  "tolerations",
] as const;

/**
 * Members of `helmOptions` that become inputs of the Release (pulumi/pulumi-go-helmbase@v0.2.0:base.go, `To`).
 * `valueYamlFiles` is missing on purpose: the official component drops it without a word.
 */
const RELEASE_KEYS = [
  "atomic",
  "chart",
  "cleanupOnFail",
  "createNamespace",
  "dependencyUpdate",
  "description",
  "devel",
  "disableCRDHooks",
  "disableOpenapiValidation",
  "disableWebhooks",
  "forceUpdate",
  "keyring",
  "lint",
  "manifest",
  "maxHistory",
  "name",
  "namespace",
  "postrender",
  "recreatePods",
  "renderSubchartNotes",
  "replace",
  "resetValues",
  "resourceNames",
  "reuseValues",
  "skipAwait",
  "skipCrds",
  "timeout",
  "verify",
  "version",
  "waitForJobs",
] as const;

/** Members of `repositoryOpts` (pulumi/pulumi-kubernetes@v4.32.0:sdk/go/kubernetes/helm/v3/pulumiTypes.go). */
const REPOSITORY_KEYS = ["caFile", "certFile", "keyFile", "password", "repo", "username"] as const;

/**
 * The component's inputs as inputs of its one Release. Values are built as the official component builds them: every
 * typed input takes the place of the key of the same name in `helmOptions.values`, even when it is not set.
 */
export function releaseInputs(inputs: JsonObject): JsonObject {
  for (const key of PLAIN_KEYS) refuseOutputs(key, inputs[key]);
  const options = helmOptionsOf(inputs);
  return lowerOutputs({
    ...pick(options, RELEASE_KEYS),
    chart: options["chart"] ?? DEFAULT_CHART,
    compat: "true",
    repositoryOpts: repositoryOpts(options["repositoryOpts"]),
    values: chartValues(inputs, options["values"]),
  }) as JsonObject;
}

/** Inputs of the component whose dependencies count for the Release's input `key`. */
export function sourcesOf(key: string): readonly string[] {
  return key === "values" ? ["helmOptions", ...INPUT_KEYS, ...PLAIN_KEYS] : ["helmOptions"];
}

function helmOptionsOf(inputs: JsonObject): JsonObject {
  const options = inputs["helmOptions"] ?? {};
  if (!isPlainObject(options)) throw plainError("helmOptions");
  return options;
}

function repositoryOpts(given: Json | undefined): JsonObject {
  const options = given ?? {};
  if (!isPlainObject(options)) throw plainError("helmOptions.repositoryOpts");
  return { ...pick(options, REPOSITORY_KEYS), repo: options["repo"] ?? DEFAULT_REPO };
}

function chartValues(inputs: JsonObject, given: Json | undefined): JsonObject {
  const values = given ?? {};
  if (!isPlainObject(values)) throw plainError("helmOptions.values");
  for (const [key, value] of Object.entries(values)) {
    if (isOutputLike(value)) throw plainError(`helmOptions.values.${key}`);
  }
  const typed = [...INPUT_KEYS, ...PLAIN_KEYS];
  const untyped = Object.keys(values).filter(
    (key) => key !== "helmOptions" && !key.startsWith("__") && !(typed as string[]).includes(key),
  );
  return { ...pick(values, untyped), ...pick(inputs, typed) };
}

function refuseOutputs(key: string, value: Json | undefined): void {
  if (value !== undefined && containsOutput(value)) throw plainError(key);
}

/** The named members that are set; null counts as not set, as when the official component marshals them. */
function pick(object: JsonObject, keys: readonly string[]): JsonObject {
  const entries = keys.map((key) => [key, object[key] ?? null] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

function plainError(where: string): Error {
  return new Error(
    [
      `CertManager input "${where}"`,
      "Found: a secret, an unknown, or a value that depends on another resource.",
      `Allowed: a plain value; the official component takes no output here (${SOURCE}).`,
      "To do: give the value itself; a secret belongs in a Kubernetes Secret that the value names.",
    ].join("\n"),
  );
}
