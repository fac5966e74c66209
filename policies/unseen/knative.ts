import type { CatalogImage, Release } from "../../versions/schema.ts";
import { lostImages, rowsOfMinor } from "./neighbours.ts";
import { at } from "./uncovered.ts";
import type { Uncovered, Unseen } from "./uncovered.ts";

/** Type of the resource from which the Knative operator installs what it carries inside. */
export const KNATIVE_SERVING = /^kubernetes:operator\.knative\.dev\/[^:]+:KnativeServing$/;

const PLUGINS = { istio: "net-istio", kourier: "net-kourier" } as const;
/** Plugins that the operator carries too; the catalog has no rows for them. */
const UNKNOWN_PLUGINS = ["contour", "gateway-api"] as const;
/** `Deployment/activator containers[activator]`, as the operator's key `activator/activator`. */
const USED_BY = /^\w+\/([\w-]+) containers\[([\w-]+)\]/;
const QUEUE_PROXY = "queue-proxy";

/**
 * Images of the operator that the resource does not move. The operator creates their pods, so no preview shows them:
 * only `spec.registry.override` can, one key per container, and for queue-proxy `config-deployment` as well.
 */
export function judgeKnativeServing(spec: unknown, unseen: Unseen): Uncovered[] {
  const version = at(spec, "version");
  const release =
    typeof version === "string" ? unseen.catalog.find("knative-serving", version) : undefined;
  if (release === undefined) return [unknownRelease(version)];
  const rows = [release, ...pluginRows(spec, release.version, unseen)];
  const images = rows.flatMap((row) => [
    ...row.images.map((image) => ({ image, row })),
    ...lostImages(unseen.catalog, row).map((image) => ({ image, row, lost: true })),
  ]);
  const uncovered = images.flatMap((item) => judgeImage(spec, item, unseen));
  return unique([...uncovered, ...judgeQueueProxy(spec, release), ...unknownPlugins(spec)]);
}

function judgeImage(
  spec: unknown,
  { image, row, lost }: { image: CatalogImage; row: Release; lost?: boolean },
  unseen: Unseen,
): Uncovered[] {
  if (image.chart !== undefined || unseen.passes(image.image)) return [];
  const file = `versions/${row.product}/${row.version}.json`;
  const key = image.override ?? guessKey(image);
  if (isSet(spec, "registry", "override", key)) return [];
  const why =
    image.override === undefined
      ? `, and ${file} names no override for it`
      : lost === true
        ? `, and ${file} does not list it, as the releases around it do`
        : "";
  return [
    {
      image: image.image,
      key: `spec.registry.override["${key}"]`,
      what: `is not set${why}`,
    },
  ];
}

/** The sidecar of every revision takes its image from the setting, not from the override. */
function judgeQueueProxy(spec: unknown, release: Release): Uncovered[] {
  const image = release.images.find(({ override }) => override === QUEUE_PROXY);
  const overridden = isSet(spec, "registry", "override", QUEUE_PROXY);
  const set = isSet(spec, "config", "deployment", "queue-sidecar-image");
  if (image === undefined || set || !overridden) return [];
  const key = 'spec.config.deployment["queue-sidecar-image"]';
  return [{ image: image.image, key, what: "is not set, so every revision pulls it from there" }];
}

/** No `ingress` at all means Istio to the operator. */
function pluginRows(spec: unknown, version: string, { catalog }: Unseen): Release[] {
  const ingress = at(spec, "ingress");
  return Object.entries(PLUGINS).flatMap(([name, product]) => {
    const enabled = at(ingress, name, "enabled") === true;
    const byDefault = ingress === undefined && name === "istio";
    return enabled || byDefault ? rowsOfMinor(catalog, product, version) : [];
  });
}

function unknownPlugins(spec: unknown): Uncovered[] {
  return UNKNOWN_PLUGINS.filter((name) => at(spec, "ingress", name, "enabled") === true).map(
    (name) => ({
      image: `the network plugin ${name} of the operator`,
      key: `spec.ingress.${name}`,
      what: "is enabled, and the catalog has no list of its images",
    }),
  );
}

function unknownRelease(version: unknown): Uncovered {
  return {
    image: "images of Knative Serving inside the operator",
    key: "spec.version",
    what: `is ${JSON.stringify(version) ?? "not set"}, a version without a row in the catalog`,
  };
}

/** `null`, by which values of a stack file take a key away, sets nothing. */
function isSet(spec: unknown, ...path: readonly string[]): boolean {
  return typeof at(spec, ...path) === "string";
}

function guessKey({ name, usedBy }: CatalogImage): string {
  const match = USED_BY.exec(usedBy);
  return match === null ? name : `${match[1] ?? ""}/${match[2] ?? ""}`;
}

/** Patch releases of a plugin share their keys; one report for each is enough. */
function unique(found: readonly Uncovered[]): Uncovered[] {
  return [...new Map(found.map((item) => [item.key, item])).values()];
}
