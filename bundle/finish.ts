import { createHash } from "node:crypto";
import { join } from "node:path";
import type { BroughtFile, Bundler } from "./bundler.ts";
import type { Contents } from "./contents.ts";
import { commands, haulerManifest, skopeoSync } from "./forms.ts";
import type { FormTarget } from "./forms.ts";
import { formatChecksums, formatManifest, NAMES } from "./manifest.ts";
import type { BundleManifest } from "./manifest.ts";
import { hashFile } from "./download.ts";
import { treeSize } from "./oci.ts";
import type { PackageFile } from "./packages.ts";
import { writeWhole } from "./store.ts";
import type { ToolFile } from "./tools.ts";
import { imageTotals } from "./totals.ts";

/** Everything that the last step writes about. */
export interface FinishedParts {
  readonly folder: string;
  readonly contents: Contents;
  readonly tools: readonly ToolFile[];
  readonly packages: readonly PackageFile[];
  readonly models: readonly {
    readonly name: string;
    readonly storage: string;
    readonly file: string;
  }[];
  /** Parts that were asked for. */
  readonly parts: readonly string[];
  readonly target: FormTarget;
}

/**
 * Writes the lists, the checksums and, as the very last thing, `bundle.json`: a bundle without it is not whole. Nothing
 * that is written depends on the day or the machine.
 */
export async function finishBundle(
  bundler: Bundler,
  parts: FinishedParts,
): Promise<BundleManifest> {
  const { folder } = parts;
  const entries = bundler.resolved.map(({ image, tree }) => ({
    name: image.upstream,
    manifest: tree.root,
  }));
  await bundler.store.writeIndex(entries);
  const manifest = manifestOf(bundler, parts);
  const texts = new Map([...formsOf(bundler, parts), [NAMES.manifest, formatManifest(manifest)]]);
  const checksums = await checksumsOf(bundler, folder, texts);
  for (const [file, text] of texts)
    if (file !== NAMES.manifest) await writeWhole(join(folder, file), text);
  await writeWhole(join(folder, NAMES.checksums), formatChecksums(checksums));
  await writeWhole(join(folder, NAMES.manifest), formatManifest(manifest));
  await bundler.close();
  return manifest;
}

/** The lists in the forms of other tools, and the commands for them, by file name. */
export function formsOf(
  bundler: Bundler,
  { contents, target }: Pick<FinishedParts, "contents" | "target">,
): [string, string][] {
  const digests = new Map([
    ...contents.images.flatMap(({ upstream, digest }) =>
      digest === undefined ? [] : [[upstream, digest] as const],
    ),
    ...bundler.resolved.map(({ image, tree }) => [image.upstream, tree.root.digest] as const),
  ]);
  return [
    [NAMES.hauler, haulerManifest(contents, target)],
    [NAMES.skopeo, skopeoSync(contents, digests)],
    [NAMES.commands, commands(contents, digests, target)],
  ];
}

function manifestOf(bundler: Bundler, parts: FinishedParts): BundleManifest {
  const brought = new Map(bundler.files.map((file) => [file.file, file]));
  const carry = <T extends { readonly file: string }>(
    items: readonly T[],
    under: string,
  ): (T & Carried)[] =>
    items.flatMap((item) => {
      const file = brought.get(under === "" ? item.file : `${under}/${item.file}`);
      return file === undefined ? [] : [{ ...item, ...carriedOf(file) }];
    });
  const { contents } = parts;
  const totals = imageTotals(bundler.resolved);
  return {
    bundleVersion: 1,
    mode: contents.mode,
    releases: { ...contents.releases },
    parts: [...parts.parts],
    images: bundler.resolved.map(({ image, tree }) => ({
      upstream: image.upstream,
      installed: image.installed,
      digest: tree.root.digest,
      size: treeSize(tree),
      ...(image.optional === undefined ? {} : { optional: [...image.optional] }),
      usedBy: [...image.usedBy],
    })),
    charts: carry(contents.charts, NAMES.charts),
    manifests: carry(contents.manifests, NAMES.charts),
    tools: carry(
      parts.tools.map(({ name, version, url, file }) => ({ name, version, url, file })),
      "",
    ),
    packages: carry(parts.packages, ""),
    models: carry(parts.models, ""),
    totals: {
      images: totals.images,
      imageBytes: totals.bytes,
      savedBytes: totals.separately - totals.bytes,
      files: bundler.files.length,
      fileBytes: bundler.files.reduce((sum, { size }) => sum + size, 0),
    },
  };
}

interface Carried {
  file: string;
  sha256: string;
  size: number;
}

function carriedOf({ file, digest, size }: BroughtFile): Carried {
  return { file, sha256: hexOf(digest), size };
}

/** SHA-256 by path of everything that is carried; blobs are named by theirs. */
async function checksumsOf(
  bundler: Bundler,
  folder: string,
  texts: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (const { file, digest } of bundler.files) sums.set(file, hexOf(digest));
  for (const [file, text] of texts) sums.set(file, createHash("sha256").update(text).digest("hex"));
  for (const file of [`${NAMES.images}/index.json`, `${NAMES.images}/oci-layout`])
    sums.set(file, hexOf((await hashFile(join(folder, file))).digest));
  for (const { tree } of bundler.resolved)
    for (const { digest } of [...tree.manifests, ...tree.blobs])
      sums.set(`${NAMES.images}/blobs/${digest.replace(":", "/")}`, hexOf(digest));
  return sums;
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}
