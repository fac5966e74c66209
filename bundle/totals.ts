import type { ResolvedImage } from "./bundler.ts";
import { treeSize } from "./oci.ts";

/** What images weigh, together and one by one. */
export interface ImageTotals {
  readonly images: number;
  /** Bytes with each manifest and layer once: what the bundle takes. */
  readonly bytes: number;
  /** Bytes that would be needed if no two images shared anything. */
  readonly separately: number;
  /** How many layers and manifests there are, each once, and how many references to them. */
  readonly blobs: number;
  readonly blobReferences: number;
}

/** Adds up images, counting what they share once. */
export function imageTotals(resolved: readonly ResolvedImage[]): ImageTotals {
  const sizes = new Map<string, number>();
  let references = 0;
  let separately = 0;
  // Two names of one image share everything, which is what the sum is to show.
  for (const { tree } of resolved) {
    separately += treeSize(tree);
    for (const { digest, bytes } of tree.manifests) sizes.set(digest, bytes.length);
    for (const { digest, size } of tree.blobs) sizes.set(digest, size);
    references += tree.manifests.length + tree.blobs.length;
  }
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return {
    images: resolved.length,
    bytes,
    separately,
    blobs: sizes.size,
    blobReferences: references,
  };
}
