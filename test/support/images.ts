import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const run = promisify(execFile);

/** An image that a test makes: its layers by their content, one list for each platform. */
export interface TestImage {
  /** Name in the layout. */
  readonly name: string;
  /** By architecture; one architecture gives an image, several give an index. */
  readonly platforms: Readonly<Record<string, readonly Buffer[]>>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const OCI = "application/vnd.oci.image";

/** Writes images as an OCI layout, by hand: nothing of the program under test is used. */
export async function writeLayout(folder: string, images: readonly TestImage[]): Promise<void> {
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
  const put = async (mediaType: string, content: Buffer): Promise<Descriptor> => {
    const hex = createHash("sha256").update(content).digest("hex");
    await writeFile(join(folder, "blobs", "sha256", hex), content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const putJson = (mediaType: string, content: object) =>
    put(mediaType, Buffer.from(JSON.stringify(content)));
  const manifests = [];
  for (const { name, platforms } of images) {
    const children = [];
    for (const [architecture, layers] of Object.entries(platforms)) {
      const image = await putImage(architecture, layers, { put, putJson });
      children.push({ ...image, platform: { os: "linux", architecture } });
    }
    const [only] = children;
    const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: children };
    const root =
      only !== undefined && children.length === 1
        ? { mediaType: only.mediaType, digest: only.digest, size: only.size }
        : await putJson(`${OCI}.index.v1+json`, index);
    manifests.push({ ...root, annotations: { "org.opencontainers.image.ref.name": name } });
  }
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}

interface Put {
  readonly put: (mediaType: string, content: Buffer) => Promise<Descriptor>;
  readonly putJson: (mediaType: string, content: object) => Promise<Descriptor>;
}

async function putImage(
  architecture: string,
  layers: readonly Buffer[],
  { put, putJson }: Put,
): Promise<Descriptor> {
  const config = await putJson(`${OCI}.config.v1+json`, {
    architecture,
    os: "linux",
    config: {},
    rootfs: {
      type: "layers",
      diff_ids: layers.map((layer) => `sha256:${createHash("sha256").update(layer).digest("hex")}`),
    },
  });
  const packed = [];
  for (const layer of layers) packed.push(await put(`${OCI}.layer.v1.tar+gzip`, gzipSync(layer)));
  return putJson(`${OCI}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config,
    layers: packed,
  });
}

/** Content of a layer that compresses badly, the same for the same name. Registries do not look inside. */
export function layer(name: string, size = 2000): Buffer {
  const parts: Buffer[] = [];
  for (let length = 0, round = 0; length < size; length += 32, round += 1)
    parts.push(
      createHash("sha256")
        .update(`${name} ${String(round)}`)
        .digest(),
    );
  return Buffer.concat(parts).subarray(0, size);
}

/** Copies an image with skopeo; `options` are its own. Gives what it printed. */
export async function skopeo(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(program, args, { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
