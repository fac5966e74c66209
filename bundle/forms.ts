import { stringify } from "yaml";
import { parseReference } from "../images/reference.ts";
import type { BundleImage, Contents } from "./contents.ts";

/** What the written commands need to know besides the list. */
export interface FormTarget {
  /** Registry inside the gap; absent when the stack names none. */
  readonly registry?: string | undefined;
  /** Chart registry inside the gap (`oci://…`). */
  readonly charts?: string | undefined;
}

/** Digest by upstream reference, where one is known. */
export type Digests = ReadonlyMap<string, string>;

/**
 * The list as hauler reads it (`hauler store sync`): images, charts, files. hauler drops the host of an image when it
 * copies it to a registry; `rewrite` names the place that the stack installs from.
 */
export function haulerManifest(contents: Contents, target: FormTarget): string {
  const kinds = [
    document(
      "Images",
      "images",
      contents.images.map((image) => haulerImage(image, target)),
    ),
    document(
      "Charts",
      "charts",
      contents.charts.map(({ name, version, repository }) => ({
        name,
        repoURL: repository,
        version,
      })),
    ),
    document(
      "Files",
      "files",
      contents.manifests.map(({ file, url }) => ({ path: url, name: file })),
    ),
  ];
  return kinds.join("---\n");
}

/**
 * The list as `skopeo sync --src yaml` reads it: registry, repository, tags and digests. An image that is installed by
 * its tag is listed by its tag; one that is installed by digest, by digest too.
 */
export function skopeoSync(contents: Contents, digests: Digests): string {
  const hosts: Record<string, { images: Record<string, string[]> }> = {};
  for (const { upstream } of contents.images) {
    const reference = parseReference(upstream);
    if (reference === undefined) continue;
    const { host, repository, tag } = reference;
    const images = (hosts[host] ??= { images: {} }).images;
    const digest = reference.digest ?? digests.get(upstream);
    const wanted = [tag, digest].filter((name) => name !== undefined);
    images[repository] = [...new Set([...(images[repository] ?? []), ...wanted])].sort();
  }
  return stringify(sorted(hosts), { lineWidth: 0 });
}

/** The exact commands for those who copy by hand, or with other tools. */
export function commands(contents: Contents, digests: Digests, target: FormTarget): string {
  const registry = target.registry ?? "<registry>";
  const copies = contents.images.map((image) => copyCommand(image, digests));
  return [
    "# Carrying this bundle",
    "",
    "This folder is complete when `bundle.json` is in it. Inside the gap one command does all of it:",
    "",
    fence(["npx platform bundle load <this folder> --stack <stack>"]),
    "",
    "The same with other tools. Log in first (`skopeo login`, `hauler login`, `helm registry login`).",
    "",
    "## From this folder, with skopeo",
    "",
    fence([
      "sha256sum --check --quiet SHA256SUMS",
      ...contents.images.map((image) => pushCommand(image)),
    ]),
    "",
    "## Charts, with helm",
    "",
    fence(
      contents.charts.map(
        ({ file }) => `helm push charts/${file} ${target.charts ?? "oci://<registry>/<project>"}`,
      ),
    ),
    "",
    "## Without this folder: hauler",
    "",
    fence([
      "hauler store sync --filename hauler.yaml",
      "hauler store save --filename bundle.tar.zst",
      "# inside:",
      "hauler store load --filename bundle.tar.zst",
      `hauler store copy registry://${registry}`,
    ]),
    "",
    "## Without this folder: skopeo",
    "",
    fence([
      "skopeo sync --all --preserve-digests --scoped --src yaml --dest dir skopeo-sync.yaml <folder>",
      "# or one by one, by digest:",
      ...copies,
    ]),
    "",
  ].join("\n");
}

function document(kind: string, list: string, items: readonly unknown[]): string {
  return stringify(
    {
      apiVersion: "content.hauler.cattle.io/v1",
      kind,
      metadata: { name: `kserve-platform-${list}` },
      spec: { [list]: items },
    },
    { lineWidth: 0 },
  );
}

function haulerImage(image: BundleImage, { registry }: FormTarget): Record<string, string> {
  const prefix = `${registry ?? ""}/`;
  const moved = registry !== undefined && image.installed.startsWith(prefix);
  return {
    name: image.upstream,
    ...(moved ? { rewrite: image.installed.slice(prefix.length) } : {}),
  };
}

function pushCommand({ upstream, installed }: BundleImage): string {
  return `skopeo copy --all --preserve-digests 'oci:images:${upstream}' 'docker://${installed}'`;
}

function copyCommand({ upstream, installed }: BundleImage, digests: Digests): string {
  const reference = parseReference(upstream);
  const digest = digests.get(upstream);
  const source =
    reference === undefined || digest === undefined
      ? upstream
      : `${reference.host}/${reference.repository}@${digest}`;
  return `skopeo copy --all --preserve-digests 'docker://${source}' 'docker://${installed}'`;
}

function fence(lines: readonly string[]): string {
  return ["```sh", ...lines, "```"].join("\n");
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([one], [two]) => (one < two ? -1 : 1)));
}
