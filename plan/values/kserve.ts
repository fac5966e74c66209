import type { Settings } from "../../config/schema.ts";
import type { ReleaseOf } from "../../versions/schema.ts";
import type { ResolvedIngress, Values } from "../plan.ts";
import { atPath, fromPaths, mergeValues } from "./merge.ts";

/** Name of the Gateway that KServe's HTTPRoutes attach to, KServe's own default (charts/kserve-resources/values.yaml). */
export const GATEWAY_NAME = "kserve-ingress-gateway";

/** Name of the ConfigMap from which the storage initializer takes its trust. */
export const STORAGE_CA_NAME = "kserve-storage-ca";

/**
 * Certificates that the storage initializer is to trust: the stack's own choice, else the registry's CA (models can be
 * images of the registry). `undefined` where there are none or the release takes none.
 */
export function storageCa(release: ReleaseOf<"kserve">, settings: Settings): string | undefined {
  if (release.values.keys["storageInitializerCaBundleConfigMap"] === undefined) return undefined;
  const chosen = settings.kserve.storageCa ?? settings.registry?.ca;
  return chosen === "none" ? undefined : chosen;
}

/** What decides about values besides the settings. */
export interface KServeContext {
  readonly ingress: ResolvedIngress;
  readonly pullSecret: string | undefined;
}

/**
 * Values of KServe's controller chart: mode, ingress and domain as they end up in `inferenceservice-config`.
 * Value paths and the spelling of the mode come from the catalog; keys that a release does not have are left out.
 */
export function kserveValues(
  release: ReleaseOf<"kserve">,
  settings: Settings,
  context: KServeContext,
): Values {
  const { keys } = release.values;
  const { ingress, pullSecret } = context;
  const { namespaces, features } = settings;
  return mergeValues(
    fromPaths([
      [keys["deploymentMode"], release.modes.spelling[settings.mode]],
      [keys["domain"], settings.ingress.domain],
      [keys["urlScheme"], settings.ingress.urlScheme],
      [keys["enableGatewayApi"], settings.mode === "RawDeployment" && usesGateway(ingress)],
      [keys["kserveGateway"], `${namespaces.kserve}/${GATEWAY_NAME}`],
      // The Gateway is ours: the chart would fix its class to envoy.
      [keys["createGateway"], false],
      [keys["ingressGateway"], `${namespaces.knativeServing}/knative-ingress-gateway`],
      [keys["localGateway"], `${namespaces.knativeServing}/knative-local-gateway`],
      [keys["localGatewayService"], `knative-local-gateway.${namespaces.istio}.svc.cluster.local`],
      [keys["ingressClassName"], ingress.type === "ingress-class" ? ingress.className : undefined],
      [keys["disableIngressCreation"], ingress.type === "none" ? true : undefined],
      // Without Istio there is no VirtualService kind; the controller would look for it (kserve/kserve#4984).
      [keys["disableIstioVirtualHost"], settings.mode !== "Serverless" || ingress.type !== "istio"],
      [keys["controllerResources"], settings.kserve.resources],
      [
        keys["controllerImagePullSecrets"],
        pullSecret === undefined ? undefined : [{ name: pullSecret }],
      ],
      [
        keys["storageInitializerCaBundleConfigMap"],
        storageCa(release, settings) === undefined ? undefined : STORAGE_CA_NAME,
      ],
      [keys["modelmeshEnabled"], settings.mode === "ModelMesh"],
      ...featureValues(release, features),
    ]),
    settings.kserve.values,
  );
}

function featureValues(
  { values: { keys } }: ReleaseOf<"kserve">,
  { localModel, monitoring, security }: Settings["features"],
): (readonly [string | undefined, unknown])[] {
  // The chart writes these two as strings into the ConfigMap.
  const metrics = monitoring ? "true" : undefined;
  return [
    [keys["localModelEnabled"], localModel ? true : undefined],
    [keys["enableMetricAggregation"], metrics],
    [keys["enablePrometheusScraping"], metrics],
    [keys["autoMountServiceAccountToken"], security ? false : undefined],
  ];
}

/**
 * Values of the LLM controller's chart. Objects that it shares with KServe's controller (configuration, issuer,
 * storage container) stay with the latter.
 */
export function llmValues(
  release: ReleaseOf<"kserve">,
  settings: Settings,
  context: Pick<KServeContext, "pullSecret">,
): Values {
  const { keys } = release.values;
  const env = (release.llm?.controllerEnv ?? []).map(({ name, value }) => ({ name, value }));
  return mergeValues(
    fromPaths([
      [keys["createSharedResources"], false],
      // Names, where every other chart takes references: `{name}` would end up as `map[name:…]` in the pods
      // (kserve/kserve@v0.20.0:charts/kserve-llmisvc-resources/templates/_helpers.tpl).
      [
        keys["llmControllerImagePullSecrets"],
        context.pullSecret === undefined ? undefined : [context.pullSecret],
      ],
      [keys["llmControllerEnv"], env.length === 0 ? undefined : env],
    ]),
    settings.kserve.values,
  );
}

/** Values of the local model chart; its images are rewritten in what it renders. */
export function localModelValues(settings: Settings): Values {
  return mergeValues(settings.kserve.values);
}

/** Values of the chart that holds the runtimes, from the release on that has one (0.17), and the LLM presets. */
export function kserveRuntimeValues(release: ReleaseOf<"kserve">, settings: Settings): Values {
  const presets = settings.features.llm === undefined ? [] : (release.llm?.presets.enable ?? []);
  return mergeValues(
    ...[...release.runtimes.enable, ...presets].map((path) => atPath(path, true)),
    settings.kserve.values,
  );
}

function usesGateway(ingress: ResolvedIngress): boolean {
  return ["istio", "envoy", "gateway-class"].includes(ingress.type);
}
