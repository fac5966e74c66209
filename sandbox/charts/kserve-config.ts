/** The ConfigMap `inferenceservice-config` of the KServe stand-in: JSON in every key, filled from the chart's values. */
import { type KServe, imageNamed, imageText, isSplit } from "./kserve-images.ts";
import { type Doc, type HelmValue, type KubeObject, helm, setPath } from "./model.ts";
import { RELEASE_NAMESPACE } from "./objects.ts";

/** Fields of the `ingress` JSON by our logical key, with upstream's default (charts/kserve-resources/values.yaml). */
const INGRESS: Readonly<Record<string, readonly [field: string, fallback: unknown]>> = {
  enableGatewayApi: ["enableGatewayApi", false],
  kserveGateway: ["kserveIngressGateway", "kserve/kserve-ingress-gateway"],
  ingressGateway: ["ingressGateway", "knative-serving/knative-ingress-gateway"],
  ingressGatewayService: ["ingressService", "istio-ingressgateway.istio-system.svc.cluster.local"],
  knativeLocalGatewayService: ["knativeLocalGatewayService", ""],
  localGateway: ["localGateway", "knative-serving/knative-local-gateway"],
  localGatewayService: [
    "localGatewayService",
    "knative-local-gateway.istio-system.svc.cluster.local",
  ],
  ingressClassName: ["ingressClassName", "istio"],
  domain: ["ingressDomain", "example.com"],
  additionalIngressDomains: ["additionalIngressDomains", []],
  domainTemplate: ["domainTemplate", "{{ .Name }}-{{ .Namespace }}.{{ .IngressDomain }}"],
  pathTemplate: ["pathTemplate", ""],
  urlScheme: ["urlScheme", "http"],
  disableIstioVirtualHost: ["disableIstioVirtualHost", false],
  disableIngressCreation: ["disableIngressCreation", false],
  disableHTTPRouteTimeout: ["disableHTTPRouteTimeout", false],
};

/** Other settings of the ConfigMap: logical key, its JSON key and field, upstream's default. */
const OTHERS: Readonly<Record<string, readonly [key: string, field: string, fallback: unknown]>> = {
  enableMetricAggregation: ["metricsAggregator", "enableMetricAggregation", "false"],
  enablePrometheusScraping: ["metricsAggregator", "enablePrometheusScraping", "false"],
  autoMountServiceAccountToken: ["security", "autoMountServiceAccountToken", true],
  storageInitializerCaBundleConfigMap: ["storageInitializer", "caBundleConfigMapName", ""],
  storageInitializerCaBundleMountPath: [
    "storageInitializer",
    "caBundleVolumeMountPath",
    "/etc/ssl/custom-certs",
  ],
  enableModelcar: ["storageInitializer", "enableModelcar", true],
  localModelEnabled: ["localModel", "enabled", false],
};

const RESOURCES = { memoryRequest: "100Mi", memoryLimit: "1Gi", cpuRequest: "100m", cpuLimit: "1" };

/** A JSON document that Helm fills in: `field: expression`, quoted for a ConfigMap. */
function json(fields: Readonly<Record<string, string>>): HelmValue {
  const pairs = Object.entries(fields).map(([field, expression]) => `"${field}" ${expression}`);
  return helm(`{{ dict ${pairs.join(" ")} | toJson | quote }}`);
}

function literals(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [field, JSON.stringify(value)]),
  );
}

/** `printf` instead of `{{ }}`, because the reference ends up inside another expression. */
function imageExpression(release: KServe, name: string): string {
  const image = imageNamed(release, name);
  if (!image) return '""';
  const parts = imageText(release, image).split(/\{\{ | \}\}/);
  const expressions = parts.filter((_part, index) => index % 2 === 1).map((part) => `(${part})`);
  const format = parts.map((part, index) => (index % 2 === 1 ? "%v" : part)).join("");
  return expressions.length === 0
    ? JSON.stringify(format)
    : `(printf "${format}" ${expressions.join(" ")})`;
}

function settings(release: KServe): Record<string, Record<string, string>> {
  const result: Record<string, Record<string, string>> = {};
  for (const [logical, [key, field]] of Object.entries(OTHERS)) {
    const path = release.values.keys[logical];
    if (path !== undefined) (result[key] ??= {})[field] = `.Values.${path}`;
  }
  return result;
}

function ingress(release: KServe): Record<string, string> {
  const entries = Object.entries(INGRESS).flatMap(([logical, [field]]) => {
    const path = release.values.keys[logical];
    return path === undefined ? [] : [[field, `.Values.${path}`] as const];
  });
  return Object.fromEntries(entries);
}

/** The job image of the local model cache: a value of its own from 0.17, a literal before. */
function jobImage(release: KServe): string {
  const own = imageNamed(release, "storage-initializer-job")
    ? "storage-initializer-job"
    : "storage-initializer-latest";
  return imageExpression(release, own);
}

/** Default resources of a predictor, where the release has a value for them. */
function inferenceService(release: KServe): Record<string, HelmValue> {
  const path = release.values.keys["inferenceServiceResources"];
  if (path === undefined) return {};
  const limit = (name: string): string => `.Values.${path}.limits.${name}`;
  const resource = `(dict "cpuLimit" ${limit("cpu")} "memoryLimit" ${limit("memory")})`;
  return { inferenceService: json({ resource }) };
}

/** From 0.17 an empty tag falls back to the release. */
function version(release: KServe, path: string): string {
  return isSplit(release)
    ? `(.Values.${path} | default .Values.kserve.version)`
    : `.Values.${path}`;
}

function data(release: KServe): Record<string, HelmValue> {
  const { storageInitializer, localModel, ...other } = settings(release);
  const resources = literals(RESOURCES);
  const agent = { image: imageExpression(release, "agent"), ...resources };
  const explainers = release.images
    .filter((image) => image.optional === "explainer" && image.chart === "controller")
    .map((image) => [image.name.replace(/-explainer$/, ""), image.values] as const)
    .map(([name, paths]) => [
      name,
      `(dict "image" .Values.${paths?.repository} "defaultImageVersion" ${version(release, paths?.tag ?? "")})`,
    ]);
  return {
    agent: json(agent),
    batcher: json({ ...agent, maxBatchSize: '"32"', maxLatency: '"5000"' }),
    logger: json({ ...agent, defaultUrl: '"http://default-broker"' }),
    router: json({ image: imageExpression(release, "router"), ...resources }),
    storageInitializer: json({
      image: imageExpression(release, "storage-initializer"),
      ...resources,
      ...storageInitializer,
    }),
    credentials: json({ storageSpecSecretName: '"storage-config"' }),
    deploy: json({ defaultDeploymentMode: `.Values.${release.values.keys["deploymentMode"]}` }),
    explainers: json(Object.fromEntries(explainers) as Record<string, string>),
    ingress: json(ingress(release)),
    ...inferenceService(release),
    ...(localModel
      ? { localModel: json({ ...localModel, defaultJobImage: jobImage(release) }) }
      : {}),
    ...Object.fromEntries(Object.entries(other).map(([key, fields]) => [key, json(fields)])),
  };
}

/** The ConfigMap that the controller reads on every reconcile. */
export function inferenceServiceConfig(release: KServe): KubeObject {
  const metadata = { name: "inferenceservice-config", namespace: RELEASE_NAMESPACE };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: data(release) };
}

/**
 * The LLM chart of 0.16 brings the ConfigMap a second time, with settings of its own
 * (kserve/kserve@v0.16.0:charts/llmisvc-resources/templates/inferenceservice.yaml).
 */
export function llmConfig(): Doc[] {
  const metadata = { name: "inferenceservice-config", namespace: RELEASE_NAMESPACE };
  const data = { deploy: JSON.stringify({ defaultDeploymentMode: "of the LLM chart" }) };
  return [{ object: { apiVersion: "v1", kind: "ConfigMap", metadata, data } }];
}

/** Upstream's defaults of the values that the ConfigMap reads. */
export function setConfigDefaults(release: KServe, values: Record<string, unknown>): void {
  const defaults = [
    ...Object.entries(INGRESS).map(([logical, [, fallback]]) => [logical, fallback] as const),
    ...Object.entries(OTHERS).map(([logical, [, , fallback]]) => [logical, fallback] as const),
    ["deploymentMode", release.modes.spelling.Serverless] as const,
    ["version", `v${release.version}`] as const,
  ];
  for (const [logical, fallback] of defaults) {
    const path = release.values.keys[logical];
    if (path !== undefined) setPath(values, path, fallback);
  }
}
