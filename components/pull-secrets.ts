import type { ObjectTransform, RenderedObject } from "./transforms.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Where KServe keeps the settings of the pods that it makes (kserve/kserve@v0.20.0:pkg/constants/constants.go). */
const KSERVE_CONFIG = "inferenceservice-config";

/**
 * Names the pull secret in everything of a chart that makes pods: every pod template, at any depth (runtimes and LLM
 * presets carry whole pod specs), every service account, and KServe's settings for the router of inference graphs,
 * whose chart value renders as broken JSON (kserve/kserve@v0.20.0:charts/kserve-resources/files/common/configmap-patch.yaml).
 * Charts have values for some of these in some releases; this is the one place that covers all of them.
 */
export function namePullSecret(secret: string): ObjectTransform {
  return (object) => {
    if (object.kind === "CustomResourceDefinition") return undefined;
    if (object.kind === "ServiceAccount") return { object: withSecret(object, secret) };
    if (object.kind === "ConfigMap" && object.metadata?.name === KSERVE_CONFIG)
      return { object: withRouterSecret(object, secret) };
    return { object: inPodSpecs(object, secret) };
  };
}

function inPodSpecs<T>(value: T, secret: string): T {
  if (Array.isArray(value)) return value.map((item: unknown) => inPodSpecs(item, secret)) as T;
  if (!isPlain(value)) return value;
  const inner = Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, inPodSpecs(item, secret)]),
  );
  return (isPodSpec(value) ? withSecret(inner, secret) : inner) as T;
}

/** A list of named containers makes a pod spec; `containers` of anything else (a list of words, a schema) does not. */
function isPodSpec(value: Fields): boolean {
  const { containers } = value;
  return (
    Array.isArray(containers) &&
    containers.length > 0 &&
    containers.every((item: unknown) => isPlain(item) && typeof item["name"] === "string")
  );
}

function withSecret<T extends Fields>(holder: T, secret: string): T {
  const listed = holder["imagePullSecrets"];
  const others = (Array.isArray(listed) ? (listed as unknown[]) : []).filter(
    (item) => !(isPlain(item) && item["name"] === secret),
  );
  return { ...holder, imagePullSecrets: [...others, { name: secret }] };
}

function withRouterSecret(object: RenderedObject, secret: string): RenderedObject {
  const data = isPlain(object["data"]) ? object["data"] : {};
  const router = readJson(data["router"]);
  if (router === undefined) return object;
  const text = JSON.stringify({ ...router, imagePullSecrets: [secret] }, null, 2);
  return { ...object, data: { ...data, router: text } };
}

/** 0.15.0 renders JSON that nobody can read (kserve/kserve#4821); it stays as it is. */
function readJson(text: unknown): Fields | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isPlain(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPlain(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
