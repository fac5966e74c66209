import { readFile, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { parseReference } from "../images/reference.ts";
import { RemoteFailure } from "../registry/failure.ts";
import { digestOfBytes } from "../registry/registry.ts";
import type { RawManifest } from "../registry/registry.ts";
import type { BundleImage, Contents } from "./contents.ts";
import { download } from "./download.ts";
import type { Downloaded } from "./download.ts";
import { DiskSpace } from "./problems.ts";
import { Journal } from "./journal.ts";
import type { Done } from "./journal.ts";
import { NAMES, parseBundleManifest } from "./manifest.ts";
import { readTree } from "./oci.ts";
import type { Descriptor, ImageTree } from "./oci.ts";
import { eachOf } from "./pool.ts";
import type { Located, Remote } from "./remote.ts";
import { ImageStore, writeWhole } from "./store.ts";

/** What one thing to carry failed with. */
export interface Failure {
  /** The image, chart or file. */
  readonly what: string;
  readonly error: RemoteFailure;
}

/** How a bundle is made. */
export interface BundlerOptions {
  /** The bundle's folder. */
  readonly folder: string;
  readonly remote: Remote;
  /** How many things are fetched at the same time. */
  readonly jobs: number;
  /** True to ask and count only; nothing is written. */
  readonly dryRun: boolean;
  /** Called with a short text about what is being done, often. */
  readonly report: (text: string) => void;
}

/** An image that was found, with the digest it stands for. */
export interface ResolvedImage {
  readonly image: BundleImage;
  readonly tree: ImageTree;
}

/** A file that is in the bundle. */
export interface BroughtFile extends Downloaded {
  /** Path below the bundle's folder. */
  readonly file: string;
}

interface BlobTask {
  readonly blob: Descriptor;
  readonly from: Located;
}

/**
 * Makes a bundle, step by step; each step can be repeated and finds what an earlier run left. What one thing fails
 * with is kept in `failures` and the others go on; a fault of this machine (a full disk, an interruption) stops all.
 */
export class Bundler {
  readonly store: ImageStore;
  readonly failures: Failure[] = [];
  readonly resolved: ResolvedImage[] = [];
  readonly files: BroughtFile[] = [];
  readonly #options: BundlerOptions;
  readonly #journal: Journal;

  private constructor(options: BundlerOptions, journal: Journal) {
    this.#options = options;
    this.#journal = journal;
    this.store = new ImageStore(join(options.folder, NAMES.images));
  }

  /** Starts or goes on with the bundle in a folder. */
  static async open(options: BundlerOptions): Promise<Bundler> {
    const text = await readFile(join(options.folder, NAMES.manifest), "utf8").catch(() => "");
    const known = finishedFiles(text);
    return new Bundler(options, await Journal.open(join(options.folder, NAMES.journal), known));
  }

  /** Finds out what every image consists of: digest, manifests of all platforms, layers and their sizes. */
  async resolveImages({ images }: Contents): Promise<void> {
    const found = new Map<string, ResolvedImage>();
    await this.#each(
      images,
      (image) => image.upstream,
      async (image) => {
        found.set(image.upstream, { image, tree: await this.#resolve(image) });
        this.#options.report(`${String(found.size)} of ${String(images.length)} images`);
      },
    );
    // In the order of the list, whoever answered first.
    this.resolved.push(...images.flatMap(({ upstream }) => found.get(upstream) ?? []));
  }

  /** Brings the layers that are not there yet, each once. */
  async copyImages(): Promise<{ readonly blobs: number; readonly bytes: number }> {
    const tasks = await this.#missingBlobs();
    const total = tasks.reduce((sum, { blob }) => sum + blob.size, 0);
    await this.#checkSpace(total);
    let bytes = 0;
    const onBytes = (more: number): void => {
      bytes += more;
      this.#options.report(`${megabytes(bytes)} of ${megabytes(total)} MB`);
    };
    await this.#each(
      tasks,
      ({ from, blob }) => `${from.repository} ${blob.digest}`,
      (task) => this.#fetchBlob(task, onBytes),
    );
    return { blobs: tasks.length, bytes };
  }

  /** Brings one file unless an earlier run did; `fetch` writes it to the path it is given. */
  async bring(file: string, fetch: (path: string) => Promise<Downloaded>): Promise<void> {
    const path = join(this.#options.folder, file);
    const done = this.#journal.find(`file ${file}`);
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    );
    if (done?.size !== undefined && done.size === size) {
      this.files.push({ file, digest: done.digest, size: done.size });
      return;
    }
    const brought = await fetch(path);
    await this.#journal.add(`file ${file}`, brought);
    this.files.push({ file, ...brought });
  }

  /** Brings many files; what fails is kept in `failures`. */
  async bringAll<T extends { readonly file: string }>(
    items: readonly T[],
    fetch: (item: T, path: string) => Promise<Downloaded>,
  ): Promise<void> {
    let done = 0;
    await this.#each(
      items,
      ({ file }) => file,
      async (item) => {
        await this.bring(item.file, (path) => fetch(item, path));
        done += 1;
        this.#options.report(`${String(done)} of ${String(items.length)} files`);
      },
    );
  }

  /** Writes a file that is made here, anew each time. */
  async write(file: string, text: string): Promise<void> {
    await writeWhole(join(this.#options.folder, file), text);
    const bytes = Buffer.from(text);
    this.files.push({ file, digest: digestOfBytes(bytes), size: bytes.length });
  }

  /** Brings a published file as it is. */
  async fetchFile(url: string, path: string, digest?: string): Promise<Downloaded> {
    const { remote } = this.#options;
    const known = digest === undefined ? {} : { digest };
    return download({ file: path, ...known, open: () => remote.open(url), retry: remote.retry });
  }

  /** The journal has served when the bundle is whole. */
  async close(): Promise<void> {
    await this.#journal.remove();
  }

  async #resolve(image: BundleImage): Promise<ImageTree> {
    const reference = parseReference(image.upstream);
    if (reference === undefined)
      throw new RemoteFailure("protocol", "", `${image.upstream} is no image reference`);
    const from = this.#options.remote.locate(reference);
    const digest =
      image.digest ?? reference.digest ?? (await this.#digestOf(image, from, reference.tag));
    return readTree(digest, (name) => this.#readManifest(name, from));
  }

  /** What a tag means, asked once for a whole bundle. */
  async #digestOf(image: BundleImage, from: Located, tag = "latest"): Promise<string> {
    const key = `image ${image.upstream}`;
    const known = this.#journal.find(key)?.digest;
    if (known !== undefined) return known;
    const digest = await from.registry.digestOf(from.repository, tag);
    if (digest === undefined)
      throw new RemoteFailure(
        "missing",
        from.registry.host,
        `${from.registry.host} has no ${from.repository}:${tag}`,
      );
    if (!this.#options.dryRun) await this.#journal.add(key, { digest });
    return digest;
  }

  async #readManifest(digest: string, from: Located): Promise<RawManifest> {
    const stored = await this.store.manifest(digest);
    if (stored !== undefined) return stored;
    const manifest = await from.registry.manifest(from.repository, digest);
    if (!this.#options.dryRun) await this.store.putManifest(manifest);
    return manifest;
  }

  async #missingBlobs(): Promise<BlobTask[]> {
    const tasks = new Map<string, BlobTask>();
    for (const { image, tree } of this.resolved) {
      const reference = parseReference(image.upstream);
      if (reference === undefined) continue;
      const from = this.#options.remote.locate(reference);
      for (const blob of tree.blobs)
        if (!tasks.has(blob.digest)) tasks.set(blob.digest, { blob, from });
    }
    const missing: BlobTask[] = [];
    for (const task of tasks.values()) if (!(await this.store.has(task.blob))) missing.push(task);
    return missing;
  }

  async #fetchBlob({ blob, from }: BlobTask, onBytes: (bytes: number) => void): Promise<void> {
    const { retry } = this.#options.remote;
    const file = this.store.path(blob.digest);
    // A whole file of another size is damaged; its name would hide the new one.
    await rm(file, { force: true });
    await download({
      file,
      digest: blob.digest,
      open: (start) => from.registry.blob(from.repository, blob.digest, start),
      retry,
      signal: retry.signal,
      onBytes,
    });
  }

  /** Said before the first layer instead of after hours. */
  async #checkSpace(needed: number): Promise<void> {
    if (needed === 0) return;
    const { bavail, bsize } = await statfs(this.#options.folder);
    if (bavail * bsize < needed) throw new DiskSpace(this.#options.folder, needed, bavail * bsize);
  }

  async #each<T>(
    items: readonly T[],
    nameOf: (item: T) => string,
    work: (item: T) => Promise<void>,
  ): Promise<void> {
    await eachOf(items, this.#options.jobs, async (item) => {
      try {
        await work(item);
      } catch (error) {
        if (!(error instanceof RemoteFailure)) throw error;
        this.failures.push({ what: nameOf(item), error });
      }
    });
  }
}

/** Files of a bundle that was finished before; its tags are asked anew, they may have moved. */
function finishedFiles(text: string): [string, Done][] {
  const manifest = parseBundleManifest(text);
  if (manifest === undefined) return [];
  const { charts, manifests, tools, packages } = manifest;
  return [...charts, ...manifests, ...tools, ...packages].map(({ file, sha256, size }) => [
    `file ${file}`,
    { digest: `sha256:${sha256}`, size },
  ]);
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
