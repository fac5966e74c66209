import { createReadStream } from "node:fs";
import { copyFile, mkdir, readFile, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { list } from "tar";
import { parse } from "yaml";
import type { ImageReference } from "../images/reference.ts";
import { RemoteFailure } from "../registry/failure.ts";
import { digestOfBytes } from "../registry/registry.ts";
import type { RawManifest, Registry } from "../registry/registry.ts";
import { CHART_CONFIG, CHART_CONTENT } from "./charts.ts";
import { hashFile, PARTIAL } from "./download.ts";
import { NAMES, parseChecksums } from "./manifest.ts";
import { parseManifest, readTree } from "./oci.ts";
import type { Descriptor } from "./oci.ts";
import { eachOf } from "./pool.ts";
import { ImageStore } from "./store.ts";

/** Whether something had to be moved. */
export type Moved = "sent" | "present";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Files of a bundle that are missing or not what its checksums say, with the reason; `undefined`: no checksums. */
export async function damagedFiles(
  folder: string,
  jobs: number,
  report: (text: string) => void,
): Promise<string[] | undefined> {
  const text = await readFile(join(folder, NAMES.checksums), "utf8").catch(() => undefined);
  const sums = text === undefined ? undefined : parseChecksums(text);
  if (sums === undefined || sums.size === 0) return undefined;
  const damaged: string[] = [];
  let done = 0;
  await eachOf([...sums], jobs, async ([file, hex]) => {
    const found = await hashFile(join(folder, file)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    });
    if (found === undefined) damaged.push(`${file} (missing)`);
    else if (found.digest !== `sha256:${hex}`) damaged.push(`${file} (other content)`);
    done += 1;
    report(`${String(done)} of ${String(sums.size)} files`);
  });
  return damaged.sort();
}

/** Sends what a bundle holds to registries. What is there already is not sent again. */
export class Loader {
  readonly #folder: string;
  readonly #store: ImageStore;
  /** Where a blob is, or is being sent to, by host and digest. */
  readonly #sent = new Map<string, Promise<string>>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#store = new ImageStore(join(folder, NAMES.images));
  }

  /** Sends an image with all its platforms, and names it by its tag when it has one. */
  async pushImage(registry: Registry, digest: string, target: ImageReference): Promise<Moved> {
    const { repository, tag } = target;
    if (await holds(registry, repository, digest, tag)) return "present";
    const tree = await readTree(digest, async (name) => {
      const manifest = await this.#store.manifest(name);
      if (manifest === undefined)
        throw new RemoteFailure("protocol", "", `the bundle has no manifest ${name}`);
      return manifest;
    });
    for (const blob of tree.blobs)
      await this.#pushBlob(registry, repository, blob, () =>
        createReadStream(this.#store.path(blob.digest)),
      );
    for (const manifest of tree.manifests)
      await registry.putManifest(repository, manifest.digest, manifest);
    if (tag !== undefined) await registry.putManifest(repository, tag, tree.root);
    return "sent";
  }

  /**
   * Sends a chart as Helm does (helm/helm@v3.19.0:pkg/registry/client.go), but without the time, so that the same
   * chart is the same artifact. A chart with the same content that somebody else sent counts as there.
   */
  async pushChart(registry: Registry, file: string, target: ImageReference): Promise<Moved> {
    const path = join(this.#folder, file);
    const content = await hashFile(path);
    const tag = target.tag ?? "latest";
    if (await holdsChart(registry, target.repository, tag, content.digest)) return "present";
    const metadata = await chartMetadata(path);
    const config = Buffer.from(JSON.stringify(metadata));
    const layer = { mediaType: CHART_CONTENT, digest: content.digest, size: content.size };
    const manifest = chartManifest(config, layer, metadata);
    const configBlob = {
      mediaType: CHART_CONFIG,
      digest: digestOfBytes(config),
      size: config.length,
    };
    await this.#pushBlob(registry, target.repository, configBlob, () => Readable.from([config]));
    await this.#pushBlob(registry, target.repository, layer, () => createReadStream(path));
    await registry.putManifest(target.repository, tag, manifest);
    return "sent";
  }

  /** Copies a file of the bundle into a folder of this machine. */
  async placeFile(file: string, folder: string): Promise<Moved> {
    const source = join(this.#folder, file);
    const target = join(folder, basename(file));
    const wanted = await hashFile(source);
    const same = await hashFile(target).then(
      (found) => found.digest === wanted.digest,
      () => false,
    );
    if (same) return "present";
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, `${target}${PARTIAL}`);
    await rename(`${target}${PARTIAL}`, target);
    return "sent";
  }

  /** Once for each repository; a registry that has the blob elsewhere is asked to link it. */
  async #pushBlob(
    registry: Registry,
    repository: string,
    blob: Descriptor,
    open: () => Readable,
  ): Promise<void> {
    if (await registry.hasBlob(repository, blob.digest)) return;
    const key = `${registry.host} ${blob.digest}`;
    const before = await this.#sent.get(key)?.catch(() => undefined);
    const sending = registry
      .putBlob(repository, { digest: blob.digest, size: blob.size, open }, before)
      .then(() => repository);
    // Whoever comes later waits for it; the failure is thrown here.
    sending.catch(() => undefined);
    this.#sent.set(key, sending);
    await sending;
  }
}

async function holds(
  registry: Registry,
  repository: string,
  digest: string,
  tag: string | undefined,
): Promise<boolean> {
  if ((await registry.digestOf(repository, digest)) !== digest) return false;
  return tag === undefined || (await registry.digestOf(repository, tag)) === digest;
}

async function holdsChart(
  registry: Registry,
  repository: string,
  tag: string,
  content: string,
): Promise<boolean> {
  if ((await registry.digestOf(repository, tag)) === undefined) return false;
  const manifest = await registry.manifest(repository, tag);
  return parseManifest(manifest).blobs.some((blob) => blob.digest === content);
}

type Metadata = Readonly<Record<string, unknown>>;

function chartManifest(config: Buffer, layer: Descriptor, metadata: Metadata): RawManifest {
  const text = (key: string): string => {
    const value = metadata[key];
    return typeof value === "string" ? value : "";
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: CHART_CONFIG, digest: digestOfBytes(config), size: config.length },
    layers: [layer],
    annotations: {
      "org.opencontainers.image.title": text("name"),
      "org.opencontainers.image.version": text("version"),
    },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { digest: digestOfBytes(bytes), mediaType: OCI_MANIFEST, bytes };
}

/** Chart.yaml of an archive; those of dependencies lie deeper. */
async function chartMetadata(file: string): Promise<Metadata> {
  const parts: Buffer[] = [];
  await list({
    file,
    filter: (path) => /^(?:\.\/)?[^/]+\/Chart\.yaml$/.test(path),
    onReadEntry: (entry) => entry.on("data", (part: Buffer) => parts.push(part)),
  });
  const metadata: unknown = parse(Buffer.concat(parts).toString("utf8"));
  if (typeof metadata !== "object" || metadata === null)
    throw new RemoteFailure("protocol", "", `${basename(file)} holds no Chart.yaml`);
  return metadata as Metadata;
}
