import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { extract, Header, Pax } from "tar";
import type { Descriptor } from "../../bundle/oci.ts";
import type { ImageStore } from "../../bundle/store.ts";
import { entriesOf } from "./parts.ts";
import type { LayerEntry, LayerPart } from "./parts.ts";

/** A layer in a store. */
export interface Layer extends Descriptor {
  /** Digest of the archive before it was compressed: configurations name layers by it. */
  readonly diffId: string;
}

/** How {@link putLayer} works. */
export interface LayerOptions {
  /** Where the layer is written before its digest, and so its name, is known: on the disk of the store. */
  readonly work: string;
  /** 0 to 9. @default 0, not compressed */
  readonly gzip?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of the archive so far. */
  readonly onBytes?: ((done: number) => void) | undefined;
}

const MEDIA_TYPE = "application/vnd.oci.image.layer.v1.tar";
const BLOCK = 512;
/** Zip files, Python's among them, cannot say an earlier time, so the time of everything in a layer is this one. */
const TIME = new Date(Date.UTC(1980, 0, 1));
/** `createGzip` reads and writes in pieces of this size; its own default of 16 KiB is slower. */
const CHUNK = 1 << 20;

/** Makes a layer of parts and stores it; it passes through memory piece by piece. */
export async function putLayer(
  store: ImageStore,
  parts: readonly LayerPart[],
  { work, gzip = 0, signal, onBytes }: LayerOptions,
): Promise<Layer> {
  await mkdir(dirname(work), { recursive: true });
  const diff = meter(onBytes);
  const blob = meter();
  const squeeze = gzip === 0 ? [] : [createGzip({ level: gzip, chunkSize: CHUNK })];
  const steps = [diff.stream, ...squeeze, blob.stream, createWriteStream(work, { flush: true })];
  try {
    await pipeline([Readable.from(archiveOf(parts), { objectMode: false }), ...steps], { signal });
    const digest = blob.digest();
    await mkdir(dirname(store.path(digest)), { recursive: true });
    await rename(work, store.path(digest));
    const mediaType = gzip === 0 ? MEDIA_TYPE : `${MEDIA_TYPE}+gzip`;
    return { mediaType, digest, size: blob.size(), diffId: diff.digest() };
  } finally {
    await rm(work, { force: true });
  }
}

/** Lays layers of a store over each other into a folder. There is no layer here that takes files away. */
export async function unpackLayers(
  store: ImageStore,
  layers: readonly Layer[],
  { folder, signal }: { readonly folder: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { digest, mediaType } of layers) {
    const steps = mediaType.endsWith("+gzip") ? [createGunzip()] : [];
    // Links in images are meant for the image's own root, so absolute ones have to stay as they are.
    const target = extract({ cwd: folder, preservePaths: true });
    await pipeline([createReadStream(store.path(digest)), ...steps, target], { signal });
  }
}

/** The archive of a layer, or of anything else that has to come out the same each time. */
export async function* archiveOf(parts: readonly LayerPart[]): AsyncGenerator<Buffer> {
  for await (const entry of entriesOf(parts)) {
    yield headerOf(entry);
    if (entry.content !== undefined) yield* contentOf(entry, entry.content());
  }
  yield Buffer.alloc(2 * BLOCK);
}

function headerOf({ type, path, mode, owner, size, linkpath }: LayerEntry): Buffer {
  const data = {
    type,
    path: type === "Directory" ? `${path}/` : path,
    mode,
    uid: owner,
    gid: owner,
    size,
    mtime: TIME,
    ...(linkpath === undefined ? {} : { linkpath }),
  };
  const header = new Header(data);
  const block = Buffer.alloc(BLOCK);
  if (!header.encode(block)) return block;
  const { path: long, linkpath: longLink } = data;
  const pax = new Pax({
    path: long,
    size,
    ...(longLink === undefined ? {} : { linkpath: longLink }),
  });
  return Buffer.concat([pax.encode(), block]);
}

async function* contentOf(entry: LayerEntry, content: AsyncIterable<Buffer>) {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    yield chunk;
  }
  if (size !== entry.size) throw new Error(`/${entry.path} changed while it was read`);
  const rest = size % BLOCK;
  if (rest > 0) yield Buffer.alloc(BLOCK - rest);
}

function meter(onBytes?: (done: number) => void) {
  const hash = createHash("sha256");
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      size += chunk.length;
      onBytes?.(size);
      next(null, chunk);
    },
  });
  return { stream, size: () => size, digest: () => `sha256:${hash.digest("hex")}` };
}
