import type { Selection } from "../compat/rule.ts";
import { FEATURE_KEYS, featuresOf } from "../config/features.ts";
import type { Feature } from "../config/features.ts";
import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { ReleaseOf } from "../versions/schema.ts";
import { inferenceExtensionCrds } from "./kserve-charts.ts";

type KServe = ReleaseOf<"kserve">;

/** Features that a release of KServe can be installed with. */
export function supportedFeatures(release: KServe): readonly Feature[] {
  return [
    ...(release.llm === undefined ? [] : (["llm"] as const)),
    ...(release.localModel === undefined ? [] : (["local-model"] as const)),
  ];
}

/** What stands between a stack and the features that it asks for. */
export function checkFeatures(
  selection: Selection,
  settings: Settings,
  catalog: Catalog,
): Problem[] {
  const release = catalog.get("kserve", selection.versions.kserve ?? "");
  const supported = supportedFeatures(release);
  const wanted = featuresOf(settings);
  const missing = wanted.filter((feature) => !supported.includes(feature));
  return [
    ...missing.map((feature) => unsupported(feature, release, catalog)),
    ...(wanted.includes("llm") && release.llm !== undefined
      ? checkLlm({ release, llm: release.llm, selection, settings })
      : []),
  ];
}

function unsupported(feature: Feature, release: KServe, catalog: Catalog): Problem {
  const having = catalog
    .versions("kserve")
    .filter((version) => supportedFeatures(catalog.get("kserve", version)).includes(feature));
  const key = `kserve:${FEATURE_KEYS[feature]}`;
  return {
    code: "catalog-feature-unsupported",
    level: "block",
    where: key,
    found: `${feature} with KServe ${release.version}`,
    allowed: `KServe ${having.join(" | ")}`,
    source: release.source,
    fix: `set kserve:kserve.version to one of them, or remove ${key}`,
  };
}

interface LlmContext {
  readonly release: KServe;
  readonly llm: NonNullable<KServe["llm"]>;
  readonly selection: Selection;
  readonly settings: Settings;
}

function checkLlm(context: LlmContext): Problem[] {
  return [
    ...checkNamespace(context),
    ...checkGatewayApi(context),
    ...checkInferenceExtension(context),
  ];
}

function checkNamespace({ release, llm, settings }: LlmContext): Problem[] {
  const found = settings.namespaces.kserve;
  if (llm.namespace === undefined || llm.namespace.value === found) return [];
  return [
    {
      code: "config-llm-namespace",
      level: "block",
      where: "kserve:namespaces.kserve",
      found: `"${found}" with kserve:features.llm`,
      allowed: `"${llm.namespace.value}" with KServe ${release.version}: its presets and the conversion webhook of its definitions name no other`,
      source: llm.namespace.source,
      fix: `set kserve:namespaces.kserve to "${llm.namespace.value}", or remove kserve:features.llm`,
    },
  ];
}

/** The controller looks for HTTPRoute and Gateway once, at its start, and reaches models through them only. */
function checkGatewayApi({ llm, selection, settings }: LlmContext): Problem[] {
  if (selection.versions["gateway-api"] !== undefined) return [];
  const type = settings.mode === "Serverless" ? "istio" : "gateway-class";
  return [
    {
      code: "config-llm-ingress",
      level: "block",
      where: "kserve:ingress.type",
      found: `"${selection.ingress ?? "none"}", which brings no Gateway API, with kserve:features.llm`,
      allowed:
        settings.mode === "Serverless"
          ? '"istio"'
          : '"istio" | "envoy" | "gateway-class": models of an LLMInferenceService are reached through HTTPRoutes',
      source: llm.source,
      fix: `set kserve:ingress.type to "${type}", or remove kserve:features.llm`,
    },
  ];
}

function checkInferenceExtension({ release, llm, settings }: LlmContext): Problem[] {
  const brought = inferenceExtensionCrds(release).length > 0;
  if (brought && settings.features.llm?.createGIECRDs === true) return [];
  const { value, source } = llm.inferenceExtension;
  return [
    {
      code: "config-llm-inference-extension",
      level: "warn",
      where: "kserve:features.llm",
      found: brought
        ? "createGIECRDs: false"
        : `KServe ${release.version}, whose charts bring no Gateway API Inference Extension`,
      allowed: `its CRDs on the cluster before KServe's LLM controller starts: it looks for them once (goes with ${value})`,
      source,
      fix: brought
        ? "install the CRDs before, or leave createGIECRDs out"
        : `install the CRDs of gateway-api-inference-extension v${value} before pulumi up`,
    },
  ];
}
