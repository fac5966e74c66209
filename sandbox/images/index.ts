import { mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readTree, treeSize } from "../../bundle/oci.ts";
import { cacheFolder } from "../paths.ts";
import { withLock } from "../toolchain/lock.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { writeArchive } from "./archive.ts";
import type { NamedImage } from "./archive.ts";
import { putImage } from "./image.ts";
import type { Made } from "./image.ts";
import type { Layer } from "./layer.ts";
import { inRoot, programLayer, sharedLayer, textLayer } from "./layers.ts";
import type { Layers } from "./layers.ts";
import type { LayerPart } from "./parts.ts";
import { PYTHON_FILES, runPython } from "./python.ts";
import { IMAGE_RECIPES } from "./table.ts";
import type { ImageRecipe } from "./table.ts";
import type { ImageProgramName } from "../toolchain/tools.ts";
import { exists, keyOf, Workshop } from "./workshop.ts";
import type { Reporting } from "./workshop.ts";

export { imagesFolder } from "./workshop.ts";
export { NEVER_RUN } from "./table.ts";

/** What {@link buildImages} makes, of what, and how it reports. */
export interface BuildOptions extends Reporting {
  /** Built programs by name, with their paths. */
  readonly programs: Readonly<Partial<Record<ImageProgramName, string>>>;
  /** Upstream names with tags; those without a recipe, or whose program is missing, are left out. */
  readonly wanted: readonly string[];
  /** @default the cache folder of this user */
  readonly cache?: string | undefined;
}

/** An image in the store below `imagesFolder(cache)`. */
export interface BuiltImage {
  readonly upstream: string;
  readonly digest: string;
  readonly kind: Exclude<Made, "stand-in">;
  /** Bytes of everything in it; what images share counts in each. */
  readonly size: number;
}

/**
 * Makes images that no registry has to give. Layers that an earlier run made from the same are taken from the cache, so a
 * second run makes nothing. One run at a time; an interrupted one leaves whole layers and nothing else.
 */
export function buildImages(options: BuildOptions): Promise<BuiltImage[]> {
  const { wanted, programs, report } = options;
  const recipes = IMAGE_RECIPES.filter(
    ({ upstream, program }) =>
      wanted.includes(upstream) && (program === undefined || programs[program.name] !== undefined),
  );
  return inWorkshop(options, async (workshop) => {
    const made: Layers = new Map();
    const images: BuiltImage[] = [];
    for (const recipe of recipes) {
      options.signal?.throwIfAborted();
      const counts = { done: images.length, total: recipes.length };
      report({ phase: "images", ...counts, detail: recipe.upstream });
      images.push(await buildImage(workshop, made, { recipe, programs }));
    }
    report({ phase: "images", done: images.length, total: recipes.length, detail: "done" });
    return images;
  });
}

/** Writes images of the store into an archive that `ctr -n k8s.io images import` takes. */
export async function exportArchive(
  images: readonly NamedImage[],
  options: Reporting & { readonly file: string; readonly cache?: string | undefined },
): Promise<void> {
  const { store } = new Workshop(options.cache ?? cacheFolder(), options);
  options.report({ phase: "image archive", done: 0, total: 1, detail: options.file });
  await writeArchive(store, images, options);
}

/** A folder with `model.joblib`, the iris example of KServe's documentation, trained by the server image's Python. */
export function irisModel(
  options: Reporting & { readonly cache?: string | undefined },
): Promise<string> {
  return inWorkshop(options, async (workshop) => {
    const made: Layers = new Map();
    const layers: Layer[] = [];
    for (const name of ["glibc", "python", "sklearn-packages"] as const)
      layers.push(await sharedLayer(workshop, made, name));
    const script = join(PYTHON_FILES, "train_iris.py");
    const from = [layers.map(({ digest }) => digest), await readFile(script, "utf8")];
    const file = join(workshop.root, "models", `iris-${keyOf(from)}`, "model.joblib");
    if (await exists(file)) return dirname(file);
    options.report({ phase: "iris model", done: 0, total: 1, detail: "training" });
    await inRoot(workshop, { layers, purpose: "the iris model" }, async (python) => {
      const fresh = `${python.root}.model`;
      await runPython(python, [script, fresh]);
      await mkdir(dirname(file), { recursive: true });
      await rename(fresh, file);
    });
    return dirname(file);
  });
}

async function inWorkshop<T>(
  { cache = cacheFolder(), report, signal }: Reporting & { readonly cache?: string | undefined },
  work: (workshop: Workshop) => Promise<T>,
): Promise<T> {
  const workshop = new Workshop(cache, { report, signal });
  const onWait = (holder: number) =>
    report({ phase: "wait", done: 0, total: 0, detail: `process ${holder} is making images` });
  return withLock(workshop.lockFile, { onWait, signal }, async () => {
    await workshop.clear();
    return work(workshop);
  });
}

interface Order {
  readonly recipe: ImageRecipe;
  readonly programs: BuildOptions["programs"];
}

async function buildImage(workshop: Workshop, made: Layers, order: Order): Promise<BuiltImage> {
  const { upstream, made: kind, holds, run } = order.recipe;
  const layers: Layer[] = [];
  for (const name of order.recipe.layers) layers.push(await sharedLayer(workshop, made, name));
  layers.push(...(await ownLayers(workshop, order)));
  const labels = {
    "org.opencontainers.image.title": kind,
    "org.opencontainers.image.description": `${holds}. Made by the sandbox of kserve-platform under the name ${upstream}.`,
  };
  const { store } = workshop;
  const { digest } = await putImage(store, layers, { run: { ...run, labels }, made: kind });
  const tree = await readTree(digest, async (name) => {
    const manifest = await store.manifest(name);
    if (manifest === undefined) throw new Error(`the store has lost ${name}`);
    return manifest;
  });
  return { upstream, digest, kind, size: treeSize(tree) };
}

/** What no other image has: small files first, since the program or script above them changes more often. */
async function ownLayers(workshop: Workshop, { recipe, programs }: Order): Promise<Layer[]> {
  const { program, script, parts = [] } = recipe;
  const texts: LayerPart[] = [...parts];
  if (script !== undefined) {
    const text = await readFile(join(PYTHON_FILES, script.file), "utf8");
    texts.push({ kind: "text", to: script.to, text });
  }
  const layers = texts.length === 0 ? [] : [await textLayer(workshop, "files", texts)];
  if (program === undefined) return layers;
  const file = programs[program.name] ?? "";
  if (!(await exists(file))) throw missingProgram(recipe, program.name, file);
  return [...layers, await programLayer(workshop, program.name, { file, to: program.to })];
}

function missingProgram({ upstream }: ImageRecipe, name: string, file: string) {
  return sandboxError({
    code: "sandbox-images-program",
    where: upstream,
    found: `no program ${name} at ${file}`,
    allowed: "a program that was built before the images",
    fix: "start the sandbox again: it builds the programs that are missing",
  });
}
