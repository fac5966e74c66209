import type { ImageMap } from "../../images/image-map.ts";
import { parseReference } from "../../images/reference.ts";
import type { CatalogImage } from "../../versions/schema.ts";
import { fromPaths } from "./merge.ts";

/** Upstream reference of a catalog image with its digest, where one is known. */
export function upstreamOf(image: CatalogImage): string {
  return image.digest === undefined || image.image.includes("@")
    ? image.image
    : `${image.image}@${image.digest}`;
}

/** Chart values that point an image at its mirrored name, for every value path that the chart has for it. */
export function imageValues(image: CatalogImage, map: ImageMap): Record<string, unknown> {
  const paths = image.values ?? {};
  const target = map.target(upstreamOf(image));
  if (target === upstreamOf(image)) return {};
  const reference = parseReference(target);
  if (reference === undefined) return {};
  const name = `${reference.host}/${reference.repository}`;
  return fromPaths([
    [paths.image, target],
    [paths.repository, name],
    [paths.tag, reference.tag],
    [paths.digest, reference.digest],
  ]);
}
