import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { findCharts } from "../../bundle/chart-folder.ts";
import { chartReference, ChartSource } from "../../bundle/charts.ts";
import type { BundleImage, Contents } from "../../bundle/contents.ts";
import { download } from "../../bundle/download.ts";
import { Loader } from "../../bundle/load.ts";
import { NAMES } from "../../bundle/manifest.ts";
import { eachOf } from "../../bundle/pool.ts";
import { Remote } from "../../bundle/remote.ts";
import { ImageStore } from "../../bundle/store.ts";
import { formatReference, parseReference } from "../../images/reference.ts";
import type { ImageReference } from "../../images/reference.ts";
import type { Registry } from "../../registry/registry.ts";
import { PATIENT } from "../../registry/retry.ts";
import { madeOf } from "../images/image.ts";
import type { BuiltImage } from "../images/index.ts";
import { REGISTRY_USER } from "../registry/config.ts";
import type { SandboxRegistry } from "../registry/server.ts";
import { putStandIn } from "./stand-in-images.ts";

/** What is put where. */
export interface Filling {
  readonly registry: SandboxRegistry;
  /** What the stack needs, with charts from upstream. */
  readonly contents: Contents;
  /** Folder of charts and CRD files; absent: from their publishers. */
  readonly charts?: string | undefined;
  /** Folder for what is made on the way. */
  readonly work: string;
  /** Folder that the stack takes CRD files from. */
  readonly manifests: string;
  /** Files that a loaded bundle has brought already. */
  readonly loaded: ReadonlySet<string>;
  /** Images that were made here, and the folder that holds them; absent: only stand-ins are. */
  readonly built?: BuiltImages | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Images that `buildImages` made. */
export interface BuiltImages {
  /** See `imagesFolder`. */
  readonly folder: string;
  readonly images: readonly BuiltImage[];
}

/** Images by what they are: somebody's own, made here from what package registries carry, or only a name. */
export interface FilledImages {
  readonly real: number;
  readonly built: number;
  /** Made here too, and working, in place of upstream's programs that no package registry carries. */
  readonly server: number;
  readonly standIn: number;
}

/** What the registry holds now. */
export interface Filled {
  readonly charts: number;
  readonly images: FilledImages;
  /**
   * `kserve:registry.images` for images made here in place of images that are pinned by a digest, which only the real
   * ones can have: the stack pins ours instead.
   */
  readonly pinned: Readonly<Record<string, string>>;
}

/** Where the charts are in the registry. */
export const CHARTS_PROJECT = "charts";

const JOBS = 4;
const TIMEOUT_MS = 30_000;

/** Puts into the registry whatever the stack needs and the registry does not have. Real images are never replaced. */
export async function fillRegistry(filling: Filling): Promise<Filled> {
  const { registry, signal } = filling;
  const { host, ca } = registry;
  const common = { timeout: TIMEOUT_MS, retry: PATIENT, signal };
  const credentials = (name: string) => (name === host ? REGISTRY_USER : undefined);
  const inside = new Remote({ ...common, ca, credentials });
  const outside = new Remote({
    ...common,
    credentials: () => undefined,
    proxyEnv: process.env,
  });
  try {
    const loader = new Loader(filling.work);
    const charts = await fillCharts(filling, loader, { inside, outside });
    await fillManifests(filling, outside);
    return { charts, ...(await fillImages(filling, loader, inside.registry(host))) };
  } finally {
    inside.close();
    outside.close();
  }
}

interface Ways {
  readonly inside: Remote;
  readonly outside: Remote;
}

async function fillCharts(
  { registry, contents, charts, work, loaded }: Filling,
  loader: Loader,
  { inside, outside }: Ways,
): Promise<number> {
  const local = charts === undefined ? undefined : await findCharts(charts);
  const source = new ChartSource(outside, local);
  const repository = `oci://${registry.host}/${CHARTS_PROJECT}`;
  await eachOf(contents.charts, JOBS, async (chart) => {
    const file = join(NAMES.charts, chart.file);
    if (loaded.has(file)) return;
    await source.bring(chart, join(work, file));
    const target = chartReference({ ...chart, repository });
    await loader.pushChart(inside.registry(target.host), file, target);
  });
  return contents.charts.length;
}

async function fillManifests(
  { contents, charts, manifests, loaded }: Filling,
  outside: Remote,
): Promise<void> {
  await mkdir(manifests, { recursive: true });
  for (const { file, url } of contents.manifests) {
    const target = join(manifests, file);
    if (loaded.has(join(NAMES.charts, file))) continue;
    if (charts !== undefined) await copyFile(join(charts, file), target);
    else await download({ file: target, open: () => outside.open(url), retry: outside.retry });
  }
}

async function fillImages(
  { registry, contents, work, built }: Filling,
  loader: Loader,
  client: Registry,
): Promise<Pick<Filled, "images" | "pinned">> {
  const ours = await chooseOurs(contents.images, { loader, work, built });
  const pinned: Record<string, string> = {};
  const images = { real: 0, built: 0, server: 0, standIn: 0 };
  await eachOf(contents.images, JOBS, async (image) => {
    const target = parseReference(image.installed);
    const own = ours.get(image.upstream);
    // Images that the stack leaves where they are (registry.exempt) have no place here.
    if (target?.host !== registry.host || own === undefined) return;
    if (await isReal(client, { image, target, own })) {
      images.real += 1;
      return;
    }
    const { digest: _upstream, ...name } = target;
    await own.loader.pushImage(client, own.digest, name);
    images[own.kind] += 1;
    if (image.digest !== undefined)
      pinned[image.upstream] = formatReference({ ...name, digest: own.digest });
  });
  return { images, pinned: sorted(pinned) };
}

/** What is put under a name that has nothing yet. */
interface Ours {
  readonly kind: Exclude<keyof FilledImages, "real">;
  readonly digest: string;
  /** Reads the folder that holds it. */
  readonly loader: Loader;
}

/** The image that was built for an upstream name, else a stand-in. */
async function chooseOurs(
  images: readonly BundleImage[],
  { loader, work, built }: Pick<Filling, "work" | "built"> & { readonly loader: Loader },
): Promise<Map<string, Ours>> {
  const store = new ImageStore(join(work, NAMES.images));
  const ours = new Map<string, Ours>();
  // One after another: they share a layer.
  for (const { upstream } of images) {
    const { digest } = await putStandIn(store, upstream);
    ours.set(upstream, { kind: "standIn", digest, loader });
  }
  if (built === undefined) return ours;
  // One loader for all: what images share is sent once.
  const builtLoader = new Loader(built.folder);
  for (const { upstream, digest, kind } of built.images)
    ours.set(upstream, {
      kind: kind === "built" ? "built" : "server",
      digest,
      loader: builtLoader,
    });
  return ours;
}

interface Question {
  readonly image: BundleImage;
  readonly target: ImageReference;
  readonly own: Ours;
}

/** Somebody loaded it: it has the digest that it must have, or it has none to have and none of our runs made it. */
async function isReal(client: Registry, { image, target, own }: Question): Promise<boolean> {
  const wanted = image.digest ?? target.digest ?? target.tag ?? "latest";
  const found = await client.digestOf(target.repository, wanted);
  if (found === undefined || found === own.digest) return false;
  return madeOf(await client.manifest(target.repository, wanted)) === undefined;
}

/** In one order, whoever answered first: it ends up in a stack file. */
function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([one], [two]) => (one < two ? -1 : 1)));
}
