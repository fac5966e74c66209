/** How KServe's charts put an image together, from the value paths in the catalog. */
import { type CatalogImage, type ReleaseOf, setPath } from "./model.ts";

/** A KServe catalog entry. */
export type KServe = ReleaseOf<"kserve">;

/** From 0.17 the runtimes have a chart of their own, tags are empty, and shared objects can be left out. */
export function isSplit(release: KServe): boolean {
  return release.runtimes.chart === "runtimes";
}

/** The part after the last colon of the last path element; images here carry no digests. */
function tagOf(reference: string): { repository: string; tag: string } {
  const at = reference.lastIndexOf(":");
  return { repository: reference.slice(0, at), tag: reference.slice(at + 1) };
}

function tagText(release: KServe, path: string): string {
  return isSplit(release)
    ? `{{ .Values.${path} | default .Values.kserve.version }}`
    : `{{ .Values.${path} }}`;
}

/** An image that has only a repository of its own takes its tag from the image of the same repository. */
function borrowedTag(release: KServe, image: CatalogImage): string {
  const owner = release.images.find(
    (other) =>
      other.values?.tag !== undefined && other.values.repository === image.values?.repository,
  );
  if (owner?.values?.tag === undefined) return tagOf(image.image).tag;
  return (
    tagText(release, owner.values.tag) + tagOf(image.image).tag.slice(tagOf(owner.image).tag.length)
  );
}

/** The Helm text that gives this image; literal where no value reaches it. */
export function imageText(release: KServe, image: CatalogImage): string {
  const { image: whole, repository, tag } = image.values ?? {};
  if (whole !== undefined) return `{{ .Values.${whole} }}`;
  if (repository === undefined) return image.image;
  const suffix = tag === undefined ? borrowedTag(release, image) : tagText(release, tag);
  return `{{ .Values.${repository} }}:${suffix}`;
}

/** Sets the published defaults of the images that a chart names. */
export function setImageDefaults(
  release: KServe,
  images: readonly CatalogImage[],
  values: Record<string, unknown>,
): void {
  for (const image of images) {
    const { repository, tag } = tagOf(image.image);
    const paths = image.values ?? {};
    if (paths.image !== undefined) setPath(values, paths.image, image.image);
    if (paths.repository !== undefined) setPath(values, paths.repository, repository);
    const falls = isSplit(release) && tag === `v${release.version}`;
    if (paths.tag !== undefined) setPath(values, paths.tag, falls ? "" : tag);
  }
}

/** Finds an image by its catalog name. */
export function imageNamed(release: KServe, name: string): CatalogImage | undefined {
  return release.images.find((image) => image.name === name);
}

/** Containers of a workload, read from `usedBy` (`Deployment/<name> containers[<container>]`). */
export interface UsedBy {
  readonly kind: "Deployment" | "DaemonSet";
  readonly workload: string;
  readonly container: string;
  readonly image: CatalogImage;
}

/** The workloads that a chart's images belong to. */
export function workloadsOf(images: readonly CatalogImage[]): UsedBy[] {
  return images.flatMap((image) => {
    const found = /^(Deployment|DaemonSet)\/(\S+) containers\[([^\]]+)\]/.exec(image.usedBy);
    if (!found) return [];
    const [, kind, workload = "", container = ""] = found;
    return [
      {
        kind: kind === "DaemonSet" ? ("DaemonSet" as const) : ("Deployment" as const),
        workload,
        container,
        image,
      },
    ];
  });
}
