import { RemoteFailure } from "../registry/failure.ts";
import type { RawManifest } from "../registry/registry.ts";

/** A pointer to content, as manifests hold them (OCI image specification, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** An image with everything below it. */
export interface ImageTree {
  /** What the reference names: an index, or the manifest of one platform. */
  readonly root: RawManifest;
  /** Every manifest, children before their index, `root` last. */
  readonly manifests: readonly RawManifest[];
  /** Configurations and layers, each once, in the order of their digests. */
  readonly blobs: readonly Descriptor[];
}

interface Parsed {
  readonly children: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** An index inside an index inside an index is no image. */
const MAX_DEPTH = 3;

/**
 * Reads an image completely, all platforms: the digest that pods are pinned to is that of the index, and a registry
 * takes an index only with all its manifests. `read` gets a digest, or the reference for the root.
 */
export async function readTree(
  reference: string,
  read: (reference: string) => Promise<RawManifest>,
): Promise<ImageTree> {
  const manifests = new Map<string, RawManifest>();
  const blobs = new Map<string, Descriptor>();
  const visit = async (name: string, depth: number): Promise<RawManifest> => {
    const manifest = await read(name);
    const parsed = parseManifest(manifest);
    if (depth > MAX_DEPTH) throw wrong(manifest, "nested too deep");
    for (const child of parsed.children)
      if (!manifests.has(child.digest)) await visit(child.digest, depth + 1);
    for (const blob of parsed.blobs) blobs.set(blob.digest, blob);
    manifests.set(manifest.digest, manifest);
    return manifest;
  };
  const root = await visit(reference, 1);
  return {
    root,
    manifests: [...manifests.values()],
    blobs: [...blobs.values()].sort((one, two) => (one.digest < two.digest ? -1 : 1)),
  };
}

/** Bytes of an image when nothing is shared: its manifests and blobs. */
export function treeSize(tree: ImageTree): number {
  const manifests = tree.manifests.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return manifests + tree.blobs.reduce((sum, { size }) => sum + size, 0);
}

/** What a manifest points to. Layers that may not be passed on (`urls`: Windows base layers) stay where they are. */
export function parseManifest(manifest: RawManifest): Parsed {
  const content = parseObject(manifest);
  const children = content["manifests"];
  if (Array.isArray(children))
    return { children: children.map((item) => descriptor(item, manifest)), blobs: [] };
  const layers = content["layers"];
  if (!Array.isArray(layers)) throw wrong(manifest, "neither an index nor an image manifest");
  const carried = (layers as { urls?: unknown[] }[]).filter(
    ({ urls }) => (urls ?? []).length === 0,
  );
  return {
    children: [],
    blobs: [content["config"], ...carried].map((item) => descriptor(item, manifest)),
  };
}

function parseObject(manifest: RawManifest): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(manifest.bytes.toString("utf8"));
    if (typeof content === "object" && content !== null) return content as Record<string, unknown>;
  } catch {
    // Reported below like any other content that is no manifest.
  }
  throw wrong(manifest, "no JSON object");
}

function descriptor(item: unknown, manifest: RawManifest): Descriptor {
  const { mediaType, digest, size } = (item ?? {}) as Partial<Record<keyof Descriptor, unknown>>;
  if (typeof digest !== "string" || !DIGEST.test(digest) || typeof size !== "number")
    throw wrong(manifest, "a descriptor without SHA-256 digest or size");
  return { mediaType: typeof mediaType === "string" ? mediaType : "", digest, size };
}

function wrong(manifest: RawManifest, what: string): RemoteFailure {
  return new RemoteFailure("protocol", "", `manifest ${manifest.digest}: ${what}`);
}
