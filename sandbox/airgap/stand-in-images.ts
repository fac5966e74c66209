import { gzipSync } from "node:zlib";
import type { ImageStore } from "../../bundle/store.ts";
import { writeWhole } from "../../bundle/store.ts";
import { MADE } from "../images/image.ts";
import type { Made } from "../images/image.ts";
import { digestOfBytes } from "../../registry/registry.ts";
import type { RawManifest } from "../../registry/registry.ts";

const OCI = "application/vnd.oci.image";
/** The end of an archive, and nothing before it. */
const EMPTY_TAR = Buffer.alloc(1024);

/**
 * An image that is only a name: no file in it, and labels that say for what it stands. The same upstream reference gives
 * the same digest, so that it is known again. Simulated nodes pull nothing, so nothing in it is ever run.
 */
export async function putStandIn(store: ImageStore, upstream: string): Promise<RawManifest> {
  const layer = gzipSync(EMPTY_TAR);
  const config = Buffer.from(JSON.stringify(configOf(upstream)));
  const content = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: descriptor(`${OCI}.config.v1+json`, config),
    layers: [descriptor(`${OCI}.layer.v1.tar+gzip`, layer)],
    annotations: { [MADE]: "stand-in" satisfies Made },
  };
  const bytes = Buffer.from(JSON.stringify(content));
  const manifest = { digest: digestOfBytes(bytes), mediaType: content.mediaType, bytes };
  for (const blob of [layer, config]) {
    const digest = digestOfBytes(blob);
    if (!(await store.has({ digest, size: blob.length })))
      await writeWhole(store.path(digest), blob);
  }
  await store.putManifest(manifest);
  return manifest;
}

function configOf(upstream: string): unknown {
  return {
    architecture: "amd64",
    os: "linux",
    config: {
      Labels: {
        "org.opencontainers.image.title": "stand-in",
        "org.opencontainers.image.description": `Stand-in for ${upstream}: empty, made by the sandbox of kserve-platform`,
      },
    },
    rootfs: { type: "layers", diff_ids: [digestOfBytes(EMPTY_TAR)] },
  };
}

function descriptor(mediaType: string, content: Buffer) {
  return { mediaType, digest: digestOfBytes(content), size: content.length };
}
