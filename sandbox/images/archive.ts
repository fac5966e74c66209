import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { PARTIAL } from "../../bundle/download.ts";
import { readTree } from "../../bundle/oci.ts";
import type { ImageTree } from "../../bundle/oci.ts";
import type { ImageStore } from "../../bundle/store.ts";
import { archiveOf } from "./layer.ts";
import type { LayerPart } from "./parts.ts";

/** An image of an archive, and the name that it gets where it is imported. */
export interface NamedImage {
  /** With its host and tag: containerd knows images by their full names. */
  readonly name: string;
  readonly digest: string;
}

/**
 * Writes images of a store into one OCI archive, as `ctr images import` takes it: the name is read from
 * `io.containerd.image.name` (containerd/containerd@v1.6.20:images/annotations.go). The same images give the same
 * file; it appears whole or not at all.
 */
export async function writeArchive(
  store: ImageStore,
  images: readonly NamedImage[],
  { file, signal }: { readonly file: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const trees = await Promise.all(images.map(({ digest }) => treeOf(store, digest)));
  const manifests = images.map(({ name }, index) => entryOf(name, trees[index]));
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests,
  };
  const digests = trees.flatMap(({ manifests: own, blobs }) => [...own, ...blobs]);
  const unique = [...new Set(digests.map(({ digest }) => digest))].sort();
  const parts: LayerPart[] = [
    { kind: "text", to: "oci-layout", text: '{"imageLayoutVersion":"1.0.0"}\n' },
    { kind: "text", to: "index.json", text: `${JSON.stringify(index)}\n` },
    ...unique.map((digest): LayerPart => ({
      kind: "copy",
      from: store.path(digest),
      to: `blobs/${digest.replace(":", "/")}`,
    })),
  ];
  const partial = `${file}${PARTIAL}`;
  await mkdir(dirname(file), { recursive: true });
  try {
    const content = Readable.from(archiveOf(parts), { objectMode: false });
    await pipeline(content, createWriteStream(partial, { flush: true }), { signal });
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

function treeOf(store: ImageStore, digest: string): Promise<ImageTree> {
  return readTree(digest, async (name) => {
    const manifest = await store.manifest(name);
    if (manifest === undefined) throw new Error(`the store has no manifest ${name}`);
    return manifest;
  });
}

function entryOf(name: string, tree: ImageTree | undefined): unknown {
  return {
    mediaType: tree?.root.mediaType,
    digest: tree?.root.digest,
    size: tree?.root.bytes.length,
    annotations: {
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": name,
    },
  };
}
