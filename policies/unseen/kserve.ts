import { compute, computedFrom } from "../../images/computed.ts";
import { mirror } from "../../images/mirror.ts";
import type { MirrorLayout } from "../../images/mirror.ts";
import { formatReference, parseReference } from "../../images/reference.ts";
import type { ImageReference } from "../../images/reference.ts";
import type { Catalog } from "../../versions/catalog.ts";
import { at, readJson } from "./uncovered.ts";
import type { Uncovered, Unseen } from "./uncovered.ts";

/** Types of the resources that name the image of a model server. */
export const RUNTIMES = /^kubernetes:serving\.kserve\.io\/[^:]+:(?:Cluster)?ServingRuntime$/;
const CONFIG = "inferenceservice-config";
const CONFIG_KEY = /ConfigMap\/inferenceservice-config ([\w-]+)(?=[;,]|$)/g;

/**
 * Images that KServe puts into the pods of every service: agent, batcher, logger, router, storage initializer. They
 * stand as JSON in a ConfigMap; an entry without an image leaves the choice to the controller.
 */
export function judgeKServeConfig(props: unknown, { catalog }: Unseen): Uncovered[] {
  if (at(props, "metadata", "name") !== CONFIG) return [];
  return [...configKeys(catalog)].flatMap(([key, image]) => {
    const text = at(props, "data", key);
    const json = readJson(text);
    // JSON that cannot be read (0.15.0) is searched as text, like everything else.
    if (typeof text === "string" && json === undefined) return [];
    return typeof at(json, "image") === "string"
      ? []
      : [{ image, key: `data.${key} → image`, what: "is not set" }];
  });
}

/** Entries that every release of KServe in the catalog takes an image from, with one such image. */
function configKeys(catalog: Catalog): ReadonlyMap<string, string> {
  const rows = catalog.versions("kserve").map((version) => {
    const { images } = catalog.get("kserve", version);
    return new Map(
      images.flatMap((image) =>
        [...image.usedBy.matchAll(CONFIG_KEY)].map(([, key = ""]) => [key, image.image] as const),
      ),
    );
  });
  const [newest = new Map<string, string>()] = rows;
  return new Map([...newest].filter(([key]) => rows.every((row) => row.has(key))));
}

/**
 * Images that KServe's controller computes from those of a runtime, `…:2.6.2-gpu` or `…-cpu`: each has to be in the
 * catalog's list, or no mirror holds it, and its mirrored name has to be the one that the controller arrives at.
 */
export function judgeRuntime(props: unknown, unseen: Unseen): Uncovered[] {
  const spec = at(props, "spec");
  const containers = [at(spec, "containers"), at(spec, "workerSpec", "containers")]
    .flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []))
    .flatMap((container) => at(container, "image") ?? []);
  const references = containers.flatMap((image) =>
    typeof image === "string" ? (parseReference(image) ?? []) : [],
  );
  return references.flatMap((reference) => judgeComputed(reference, unseen));
}

function judgeComputed(runtime: ImageReference, { catalog, layout }: Unseen): Uncovered[] {
  // From 0.16 on the controller leaves a digest alone (kserve/kserve@v0.16.0, UpdateImageTag).
  if (runtime.digest !== undefined) return [];
  const found = catalog.versions("kserve").flatMap((version) => {
    const images = catalog
      .get("kserve", version)
      .images.flatMap(({ image }) => parseReference(image) ?? []);
    const upstream = images.find((image) => same(move(image, layout), runtime));
    const rule = upstream === undefined ? undefined : computedFrom(upstream, version);
    if (upstream === undefined || rule === undefined) return [];
    const wanted = compute(runtime, rule);
    if (images.some((image) => same(move(image, layout), wanted))) return [];
    const name = formatReference(compute(upstream, rule));
    const listed = images.some((image) => formatReference(image) === name);
    const what = listed
      ? `lead elsewhere than to ${formatReference(wanted)}, which KServe's controller makes of ${formatReference(runtime)} when ${rule.when}`
      : `lists no ${name}, which KServe's controller makes of ${formatReference(upstream)} when ${rule.when}`;
    return [
      { image: name, key: listed ? "kserve:registry" : `versions/kserve/${version}.json`, what },
    ];
  });
  return [...new Map(found.map((item) => [item.image + item.key, item])).values()];
}

function move(upstream: ImageReference, layout: MirrorLayout | undefined): ImageReference {
  return layout === undefined ? upstream : mirror(upstream, layout);
}

function same(one: ImageReference, two: ImageReference): boolean {
  return one.host === two.host && one.repository === two.repository && one.tag === two.tag;
}
