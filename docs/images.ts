/**
 * Writes `docs/images/<set>.md`: every image of every version set, mode by mode, from the catalog alone.
 * `node docs/images.ts` renews the pages; a test fails when they are stale.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSettings } from "../config/parse.ts";
import { MODES } from "../config/schema.ts";
import type { Mode, Settings } from "../config/schema.ts";
import { imageSources, planImages } from "../plan/images.ts";
import { resolveIngress } from "../plan/ingress.ts";
import type { PlannedImage } from "../plan/plan.ts";
import { neededProducts } from "../plan/selection.ts";
import { loadCatalog } from "../versions/catalog.ts";
import type { Catalog, VersionSet } from "../versions/catalog.ts";
import { PRODUCTS } from "../versions/schema.ts";

/** Folder of the pages, below the project's root. */
export const IMAGE_PAGES = join(import.meta.dirname, "images");

const ALWAYS = "●";
const OPTIONAL = "○";

/** A way to run a set, with the images that it needs or may need. */
interface Variant {
  readonly title: string;
  readonly images: readonly PlannedImage[];
}

/** The pages by file name, `README.md` with the overview among them. */
export function imagePages(catalog: Catalog): ReadonlyMap<string, string> {
  const sets = catalog.sets.map((set) => ({ set, variants: variantsOf(set, catalog) }));
  return new Map([
    ["README.md", overview(sets)],
    ...sets.map(({ set, variants }) => [`${set.name}.md`, page(set, variants)] as const),
  ]);
}

function variantsOf(set: VersionSet, catalog: Catalog): Variant[] {
  const spelling = catalog.get("kserve", set.kserve).modes.spelling;
  const choices = MODES.filter((mode) => spelling[mode] !== undefined).flatMap((mode) => [
    { title: mode, raw: { mode } },
    ...otherIngress(mode, set),
  ]);
  return choices.flatMap(({ title, raw }) => {
    const { settings } = parseSettings(raw);
    return settings === undefined ? [] : [{ title, images: imagesOf(set, settings, catalog) }];
  });
}

/** Ingress layers that a mode can have instead of its default. */
function otherIngress(
  mode: Mode,
  set: VersionSet,
): { title: string; raw: Record<string, unknown> }[] {
  if (mode === "Serverless")
    return [{ title: "Serverless with Kourier", raw: { mode, ingress: { type: "kourier" } } }];
  if (mode === "RawDeployment" && set["envoy-gateway"] !== undefined)
    return [
      { title: "RawDeployment with Envoy Gateway", raw: { mode, ingress: { type: "envoy" } } },
    ];
  return [];
}

function imagesOf(set: VersionSet, settings: Settings, catalog: Catalog): readonly PlannedImage[] {
  const ingress = resolveIngress(settings, catalog);
  const needed = neededProducts(settings, ingress);
  const versions = Object.fromEntries(
    releasesOf(set).filter(([product]) => (needed as ReadonlySet<string>).has(product)),
  );
  return planImages(imageSources(versions, ingress, catalog), settings, catalog).images;
}

function releasesOf(set: VersionSet): [string, string][] {
  return PRODUCTS.flatMap((product) => {
    const version: unknown = (set as Readonly<Record<string, unknown>>)[product];
    return typeof version === "string" ? [[product, version] satisfies [string, string]] : [];
  });
}

const NOTICE = "<!-- Written by `node docs/images.ts` from the catalog. Do not edit. -->";

function overview(sets: readonly { set: VersionSet; variants: readonly Variant[] }[]): string {
  const rows = sets.flatMap(({ set, variants }) =>
    variants.map(({ title, images }) => {
      const always = distinct(images.filter((image) => image.optional === undefined));
      return `| [${set.name}](${set.name}.md) | ${title} | ${String(always)} | ${String(distinct(images) - always)} |`;
    }),
  );
  return [
    "# Images of the version sets",
    "",
    NOTICE,
    "",
    "How many images each set needs in each mode; the pages list them. `platform images <stack>` lists those of one",
    "stack with their mirrored names, `platform lock <stack>` their digests.",
    "",
    "| Set | Mode | Always needed | Optional |",
    "| --- | --- | --: | --: |",
    ...rows,
    "",
  ].join("\n");
}

function distinct(images: readonly PlannedImage[]): number {
  return new Set(images.map(({ upstream }) => upstream)).size;
}

function page(set: VersionSet, variants: readonly Variant[]): string {
  const titles = variants.map(({ title }) => title);
  return [
    `# Images of ${set.name}`,
    "",
    NOTICE,
    "",
    `${releasesOf(set)
      .map(([product, version]) => `${product} ${version}`)
      .join(", ")}.`,
    "",
    `${ALWAYS} always needed in this mode, ${OPTIONAL} needed by the feature or runtime named last. "Since" is the first`,
    "release of its product in the catalog that lists the image, whatever its tag. Moving tags are in italics.",
    "",
    `| Layer | Image | Used by | ${titles.join(" | ")} | Since | Optional for |`,
    `| --- | --- | --- | ${titles.map(() => ":-:").join(" | ")} | --- | --- |`,
    ...rowsOf(variants),
    "",
  ].join("\n");
}

function rowsOf(variants: readonly Variant[]): string[] {
  const keyOf = ({ layer, name, upstream }: PlannedImage): string => `${layer} ${name} ${upstream}`;
  const all = new Map(
    variants.flatMap(({ images }) => images).map((image) => [keyOf(image), image]),
  );
  const modes = variants.map(({ images }) => new Set(images.map(keyOf)));
  return [...all].map(([key, image]) => {
    const mark = image.optional === undefined ? ALWAYS : OPTIONAL;
    const marks = modes.map((keys) => (keys.has(key) ? mark : ""));
    const cells = [image.layer, imageCell(image), image.usedBy, ...marks];
    return `| ${[...cells, image.since ?? "", image.optional ?? ""].map(escape).join(" | ")} |`;
  });
}

function imageCell({ upstream, floating }: PlannedImage): string {
  const [name = "", digest] = upstream.split("@");
  const shown = floating === true ? `_${name}_` : `\`${name}\``;
  return digest === undefined ? shown : `${shown} \`${digest}\``;
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** Writes all pages. */
export async function writeImagePages(catalog: Catalog = loadCatalog()): Promise<void> {
  await mkdir(IMAGE_PAGES, { recursive: true });
  for (const [file, text] of imagePages(catalog)) await writeFile(join(IMAGE_PAGES, file), text);
}

if (import.meta.main) await writeImagePages();
