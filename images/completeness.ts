import type { CatalogImage } from "../versions/schema.ts";
import { ImageMap } from "./image-map.ts";
import type { MirrorLayout } from "./mirror.ts";
import { formatReference, parseReference } from "./reference.ts";
import { renderedImages } from "./rendered.ts";

/** Any mirror will do; `.invalid` is nobody's (RFC 2606). */
const PROBE: MirrorLayout = {
  host: "mirror.invalid",
  layout: "project-per-host",
  projects: {},
  exempt: [],
};

/** One chart of a release with everything that it rendered to, over all sets of values it was rendered with. */
export interface RenderedChart {
  /** The chart's role in the release. */
  readonly role: string;
  readonly name: string;
  readonly objects: readonly unknown[];
}

/** A disagreement between charts and catalog. */
export interface Finding {
  /**
   * `unknown`: in a chart, not in the catalog; `unused`: in the catalog for a chart that does not name it;
   * `unmirrored`: named in a form that the rewrite to a mirror does not reach.
   */
  readonly kind: "unknown" | "unused" | "unmirrored";
  readonly chart: string;
  readonly image: string;
  /** Place in the rendered objects, or the place that the catalog claims. */
  readonly at: string;
}

/**
 * Compares what charts name with what the catalog lists, in both directions. Charts of the release that are not
 * given are not judged; images of any chart of the release count as known in all of them.
 */
export function findGaps(
  images: readonly CatalogImage[],
  charts: readonly RenderedChart[],
): Finding[] {
  const known = new Set(images.flatMap((image) => spellings(image)));
  const unknown: Finding[] = [];
  const seen = new Map<string, Set<string>>();
  for (const chart of charts) {
    const found = chart.objects.flatMap((object) => renderedImages(object));
    const here = seen.get(chart.role) ?? new Set<string>();
    seen.set(chart.role, here);
    for (const { at, image } of found) {
      here.add(image);
      if (!known.has(image)) unknown.push({ kind: "unknown", chart: chart.name, image, at });
    }
  }
  return [...unique(unknown), ...unused(images, charts, seen)];
}

function unused(
  images: readonly CatalogImage[],
  charts: readonly RenderedChart[],
  seen: ReadonlyMap<string, ReadonlySet<string>>,
): Finding[] {
  return images.flatMap((image) => {
    const named = image.chart === undefined ? undefined : seen.get(image.chart);
    if (named === undefined || spellings(image).some((text) => named.has(text))) return [];
    const chart = charts.find(({ role }) => role === image.chart)?.name ?? "";
    return [{ kind: "unused" as const, chart, image: image.image, at: image.usedBy }];
  });
}

/** Images that still come from upstream after the rewrite that every rendered object goes through in an air gap. */
export function findUnmirrored(
  images: readonly CatalogImage[],
  charts: readonly RenderedChart[],
): Finding[] {
  const map = new ImageMap(
    images.map(({ image }) => image),
    PROBE,
  );
  const left = charts.flatMap((chart) =>
    chart.objects
      .flatMap((object) => renderedImages(map.rewriteObject(object)))
      .filter(({ image, fromHub }) => fromHub !== true && !image.startsWith(`${PROBE.host}/`))
      .map(({ at, image }) => ({ kind: "unmirrored" as const, chart: chart.name, image, at })),
  );
  return unique(left);
}

/** The forms in which a chart may name a catalog image: with its tag, pinned, or both. */
function spellings(image: CatalogImage): string[] {
  const reference = parseReference(image.image);
  if (reference === undefined) return [image.image];
  const { digest = image.digest, ...tagged } = reference;
  if (digest === undefined) return [formatReference(tagged)];
  const { tag: _tag, ...bare } = tagged;
  return [tagged, { ...tagged, digest }, { ...bare, digest }].map(formatReference);
}

function unique(findings: readonly Finding[]): Finding[] {
  const byKey = new Map(
    findings.map((finding) => [`${finding.chart} ${finding.image} ${finding.at}`, finding]),
  );
  return [...byKey.values()];
}
