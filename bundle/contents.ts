import { lockImages, withoutDigest } from "../images/lock.ts";
import type { LockableImage, LockedImage, LockFile } from "../images/lock.ts";
import { formatReference, parseReference } from "../images/reference.ts";
import type { Plan, PlannedChart } from "../plan/plan.ts";
import { upstreamOf } from "../plan/values/images.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { CatalogChart } from "../versions/schema.ts";

/** An image to carry. */
export interface BundleImage {
  /** Upstream reference; with its digest only where it has no tag. */
  readonly upstream: string;
  /** Reference under which the stack installs it; upstream's own where there is no mirror. Without digest if it has a tag. */
  readonly installed: string;
  /** The digest that the catalog or a lock file vouches for; absent: what the tag means on the day of copying. */
  readonly digest?: string;
  /** The digest that the stack installs it by, where an exception of `registry.images` names one of its own. */
  readonly installedDigest?: string;
  /** Features or runtimes that need it; absent: always needed. */
  readonly optional?: readonly string[];
  readonly usedBy: readonly string[];
}

/** A chart to carry. */
export interface BundleChart {
  readonly name: string;
  /** As published, with its leading v where upstream writes one. */
  readonly version: string;
  /** `oci://…` (the name follows) or the address of an HTTP repository. */
  readonly repository: string;
  /** Name that a directory source looks for. */
  readonly file: string;
}

/** A published file to carry as it is. */
export interface BundleFile {
  readonly file: string;
  readonly url: string;
}

/** Everything that a stack (or every release) takes from outside: one list, from which all forms are written. */
export interface Contents {
  readonly mode: string;
  readonly releases: Readonly<Record<string, string>>;
  readonly images: readonly BundleImage[];
  readonly charts: readonly BundleChart[];
  readonly manifests: readonly BundleFile[];
  /** References before equal ones were joined, for saying what that saves. */
  readonly references: number;
}

/** What one stack needs. `plan` takes its charts from upstream; `lock` vouches for digests that the catalog lacks. */
export function contentsOfPlan(plan: Plan, lock?: LockFile): Contents {
  const { kubernetes: _kubernetes, ...releases } = plan.selection.versions;
  return {
    mode: plan.selection.mode ?? plan.settings.mode,
    releases: sortKeys(releases),
    images: imagesOf(plan.images, lock),
    charts: unique(plan.layers.flatMap((layer) => layer.charts.map(chartOfPlan))),
    manifests: unique(
      plan.layers.flatMap((layer) =>
        layer.manifests.map(({ file, location }) => ({ file, url: location })),
      ),
    ),
    references: plan.images.length,
  };
}

/** What all releases of the catalog need, in every mode: the whole of it, once. */
export function contentsOfCatalog(catalog: Catalog): Contents {
  const releases = catalog.releases();
  const images = releases.flatMap(({ product, version, images: list }) =>
    list.map((image): LockableImage => {
      const reference = parseReference(upstreamOf(image));
      const upstream = reference === undefined ? upstreamOf(image) : formatReference(reference);
      const usedBy = image.usedBy;
      const layer = `${product} ${version}`;
      const optional = image.optional === undefined ? {} : { optional: image.optional };
      return { layer, upstream, image: upstream, usedBy, ...optional };
    }),
  );
  return {
    mode: "all releases",
    releases: {},
    images: imagesOf(images),
    charts: unique(releases.flatMap((release) => release.charts.map(chartOfCatalog))),
    manifests: unique(
      releases.flatMap((release) => release.manifests.map(({ file, url }) => ({ file, url }))),
    ),
    references: images.length,
  };
}

function imagesOf(images: readonly LockableImage[], lock?: LockFile): BundleImage[] {
  const exceptions = new Map(
    images.flatMap(({ image, upstream }) => {
      const digest = parseReference(image)?.digest;
      const own = digest !== undefined && digest !== parseReference(upstream)?.digest;
      return own ? [[withoutDigest(image), digest] as const] : [];
    }),
  );
  return lockImages(images, new Map(), lock).images.map((image) =>
    bundleImage(image, exceptions.get(image.image)),
  );
}

function bundleImage(
  { image, upstream, digest, optional, usedBy }: LockedImage,
  installedDigest: string | undefined,
): BundleImage {
  return {
    upstream,
    installed: image,
    ...(digest === undefined ? {} : { digest }),
    ...(installedDigest === undefined ? {} : { installedDigest }),
    ...(optional === undefined ? {} : { optional }),
    usedBy,
  };
}

function chartOfPlan({ name, version, location }: PlannedChart): BundleChart {
  const repository = location.repo ?? location.chart.slice(0, -(name.length + 1));
  return { name, version, repository, file: chartFile(name, version) };
}

function chartOfCatalog({ name, version, repository }: CatalogChart): BundleChart {
  return { name, version, repository, file: chartFile(name, version) };
}

/** The name that a directory source looks for; see plan/charts.ts. */
function chartFile(name: string, version: string): string {
  return `${name}-${version.replace(/^v/, "")}.tgz`;
}

/** By file name: the same file twice is one file. */
function unique<T extends { readonly file: string }>(items: readonly T[]): T[] {
  const byFile = new Map(items.map((item) => [item.file, item]));
  return [...byFile.values()].sort((one, two) => (one.file < two.file ? -1 : 1));
}

function sortKeys(record: Readonly<Partial<Record<string, string>>>): Record<string, string> {
  const entries = Object.entries(record).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return Object.fromEntries(entries.sort(([one], [two]) => (one < two ? -1 : 1)));
}
