import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOfBytes } from "../registry/registry.ts";
import type { RawManifest } from "../registry/registry.ts";
import type { Descriptor } from "./oci.ts";
import { PARTIAL } from "./download.ts";

/** Annotation under which layouts keep the name of an image (OCI image specification, annotations.md). */
const REF_NAME = "org.opencontainers.image.ref.name";

/** An image of the layout: its name and what it names. */
export interface LayoutEntry {
  readonly name: string;
  readonly manifest: RawManifest;
}

/**
 * One OCI image layout for all images (OCI image specification, image-layout.md): every manifest and blob lies there
 * once, under its digest, so that layers which images share are stored once. Manifests keep their bytes and media
 * types, Docker's included, because converting one changes the digest that pods are pinned to. skopeo writes and reads
 * the same form (`oci:<folder>:<name>`, with `--preserve-digests`).
 */
export class ImageStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Where the content of a digest is, or will be. */
  path(digest: string): string {
    return join(this.folder, "blobs", ...digest.split(":"));
  }

  /** True when the content is there whole: only whole content gets its name, and its size must agree. */
  async has({ digest, size }: Pick<Descriptor, "digest" | "size">): Promise<boolean> {
    return stat(this.path(digest)).then(
      (found) => found.size === size,
      () => false,
    );
  }

  /** A stored manifest; `undefined` when it is not there, or damaged. */
  async manifest(digest: string): Promise<RawManifest | undefined> {
    const bytes = await readFile(this.path(digest)).catch(() => undefined);
    if (bytes === undefined || digestOfBytes(bytes) !== digest) return undefined;
    const mediaType = mediaTypeOf(bytes);
    return mediaType === undefined ? undefined : { digest, mediaType, bytes };
  }

  /** Stores a manifest, byte for byte. */
  async putManifest(manifest: RawManifest): Promise<void> {
    if (await this.has({ digest: manifest.digest, size: manifest.bytes.length })) return;
    await writeWhole(this.path(manifest.digest), manifest.bytes);
  }

  /** Writes the table of contents: the same images give the same bytes. */
  async writeIndex(entries: readonly LayoutEntry[]): Promise<void> {
    const manifests = [...entries]
      .sort((one, two) => (one.name < two.name ? -1 : 1))
      .map(({ name, manifest }) => ({
        mediaType: manifest.mediaType,
        digest: manifest.digest,
        size: manifest.bytes.length,
        annotations: { [REF_NAME]: name },
      }));
    const index = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests,
    };
    await writeWhole(join(this.folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}\n');
    await writeWhole(join(this.folder, "index.json"), `${JSON.stringify(index, null, 2)}\n`);
  }
}

/** Writes a file so that a reader sees the old one or the new one. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}${PARTIAL}`, content, { flush: true });
  await rename(`${file}${PARTIAL}`, file);
}

/** Manifests name their own type, except OCI ones that leave it out; those are told by their form. */
function mediaTypeOf(bytes: Buffer): string | undefined {
  try {
    const content = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
    if (typeof content["mediaType"] === "string") return content["mediaType"];
    return Array.isArray(content["manifests"])
      ? "application/vnd.oci.image.index.v1+json"
      : "application/vnd.oci.image.manifest.v1+json";
  } catch {
    return undefined;
  }
}
