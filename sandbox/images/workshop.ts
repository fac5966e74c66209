import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NAMES } from "../../bundle/manifest.ts";
import { ImageStore, writeWhole } from "../../bundle/store.ts";
import type { ToolProgress } from "../toolchain/index.ts";
import { putLayer } from "./layer.ts";
import type { Layer } from "./layer.ts";
import type { LayerPart } from "./parts.ts";

/** How long steps report and stop. */
export interface Reporting {
  readonly report: (progress: ToolProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A layer to have: what it is made from decides whether one that is there already is the same. */
export interface LayerOrder {
  readonly name: string;
  /** Everything that decides the content; another value makes another layer. */
  readonly from: unknown;
  /** Brings the parts together below a folder of its own; not called when the layer is there. */
  readonly gather: (folder: string) => Promise<readonly LayerPart[]>;
}

/** Changes with everything that makes other layers of the same {@link LayerOrder}. */
const FORMAT = 1;

/**
 * The part of the cache where images are made: a store of finished layers and images, a note for each layer that says
 * from what it was made, and unfinished work, which is thrown away. Only for the holder of its lock.
 */
export class Workshop {
  /** Folder for a `Loader`. */
  readonly root: string;
  readonly store: ImageStore;
  readonly lockFile: string;
  readonly reporting: Reporting;

  constructor(cache: string, reporting: Reporting) {
    this.root = imagesFolder(cache);
    this.store = new ImageStore(join(this.root, NAMES.images));
    this.lockFile = join(cache, "images.lock");
    this.reporting = reporting;
  }

  /** A layer from the cache, else made now. */
  async layer({ name, from, gather }: LayerOrder): Promise<Layer> {
    const note = join(this.root, "layers", `${name}-${keyOf({ format: FORMAT, from })}.json`);
    const known = await readLayer(note);
    if (known !== undefined && (await this.store.has(known))) return known;
    return this.inFolder(async (folder) => {
      const { report, signal } = this.reporting;
      report({ phase: `image layer ${name}`, done: 0, total: 0, detail: "bringing its content" });
      const parts = await gather(join(folder, "content"));
      const onBytes = everyMegabytes((megabytes) =>
        report({ phase: `image layer ${name}`, done: megabytes, total: 0, detail: "megabytes" }),
      );
      const work = join(folder, "layer");
      const layer = await putLayer(this.store, parts, { work, signal, onBytes });
      await writeWhole(note, JSON.stringify(layer));
      return layer;
    });
  }

  /** Work in a fresh folder, which is gone afterwards. */
  async inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = join(this.root, "work", randomUUID());
    await mkdir(folder, { recursive: true });
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Removes what killed runs left. */
  async clear(): Promise<void> {
    await rm(join(this.root, "work"), { recursive: true, force: true });
  }
}

/** Folder of made images in a cache folder; a `Loader` reads it. */
export function imagesFolder(cache: string): string {
  return join(cache, "made-images");
}

/** A name for something that is made from `value`. */
export function keyOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}

/** True when something has this name. */
export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function readLayer(note: string): Promise<Layer | undefined> {
  const text = await readFile(note, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Layer);
}

const STEP = 32;

/** Passes on every {@link STEP} megabytes: chunks come by the thousand. */
function everyMegabytes(send: (megabytes: number) => void): (bytes: number) => void {
  let sent = 0;
  return (bytes) => {
    const megabytes = Math.floor(bytes / 1e6);
    if (megabytes - sent < STEP) return;
    sent = megabytes;
    send(megabytes);
  };
}
