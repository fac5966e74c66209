import { copyFile, mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { create } from "tar";
import { parse } from "yaml";
import { parseReference } from "../images/reference.ts";
import { RemoteFailure } from "../registry/failure.ts";
import type { BundleChart } from "./contents.ts";
import { download, hashFile, PARTIAL } from "./download.ts";
import type { Downloaded } from "./download.ts";
import { parseManifest } from "./oci.ts";
import type { Remote } from "./remote.ts";

/** Media types of a chart in a registry (helm/helm@v3.19.0:pkg/registry/constants.go). */
export const CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json";
export const CHART_CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/** A chart that is at hand, unpacked or as `.tgz`. */
export interface LocalChart {
  readonly name: string;
  /** Without leading v. */
  readonly version: string;
  readonly path: string;
}

/** Brings charts into a folder, from registries, HTTP repositories or what is at hand. */
export class ChartSource {
  readonly #remote: Remote;
  readonly #local: readonly LocalChart[] | undefined;
  readonly #indexes = new Map<string, Promise<string>>();

  /** `local` given: no repository is asked. */
  constructor(remote: Remote, local?: readonly LocalChart[]) {
    this.#remote = remote;
    this.#local = local;
  }

  /** Brings one chart to `file`. Throws when it is not to be had. */
  async bring(chart: BundleChart, file: string): Promise<Downloaded> {
    if (this.#local !== undefined) return this.#copy(chart, file, this.#local);
    return chart.repository.startsWith("oci://")
      ? this.#pull(chart, file)
      : this.#download(chart, file);
  }

  async #copy(chart: BundleChart, file: string, local: readonly LocalChart[]): Promise<Downloaded> {
    const version = chart.version.replace(/^v/, "");
    const found = local.find((item) => item.name === chart.name && item.version === version);
    if (found === undefined)
      throw new RemoteFailure(
        "missing",
        "charts",
        `no chart ${chart.name} ${version} in the folder`,
      );
    await mkdir(dirname(file), { recursive: true });
    if (/\.(?:tgz|tar\.gz)$/.test(found.path)) await copyFile(found.path, `${file}${PARTIAL}`);
    else await pack(found, `${file}${PARTIAL}`);
    await rename(`${file}${PARTIAL}`, file);
    return hashFile(file);
  }

  async #pull(chart: BundleChart, file: string): Promise<Downloaded> {
    const reference = chartReference(chart);
    const { registry, repository } = this.#remote.locate(reference);
    const manifest = await registry.manifest(repository, reference.tag);
    const layer = parseManifest(manifest).blobs.find((blob) => blob.mediaType === CHART_CONTENT);
    if (layer === undefined)
      throw new RemoteFailure(
        "protocol",
        registry.host,
        `${repository}:${reference.tag} is no chart`,
      );
    const { retry } = this.#remote;
    const open = (from: number) => registry.blob(repository, layer.digest, from);
    return download({ file, digest: layer.digest, open, retry, signal: retry.signal });
  }

  async #download(chart: BundleChart, file: string): Promise<Downloaded> {
    const base = `${chart.repository.replace(/\/+$/, "")}/`;
    const entry = findEntry(await this.#index(base), chart);
    const [address] = entry?.urls ?? [];
    if (address === undefined) {
      const what = `${base}index.yaml has no ${chart.name} ${chart.version}`;
      throw new RemoteFailure("missing", new URL(base).host, what);
    }
    const digest = entry?.digest === undefined ? {} : { digest: `sha256:${entry.digest}` };
    const open = () => this.#remote.open(new URL(address, base).href);
    return download({ file, ...digest, open, retry: this.#remote.retry });
  }

  #index(base: string): Promise<string> {
    const known = this.#indexes.get(base) ?? this.#remote.text(`${base}index.yaml`);
    this.#indexes.set(base, known);
    return known;
  }
}

/** Registry, repository and tag of a chart with an `oci://` repository; a tag takes no plus sign. */
export function chartReference(chart: Pick<BundleChart, "name" | "version" | "repository">): {
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
} {
  const tag = chart.version.replaceAll("+", "_");
  const base = chart.repository.replace(/^oci:\/\//, "").replace(/\/+$/, "");
  const found = parseReference(`${base}/${chart.name}:${tag}`);
  if (found === undefined)
    throw new RemoteFailure("protocol", base, `oci://${base}/${chart.name} is no reference`);
  return { host: found.host, repository: found.repository, tag };
}

interface IndexEntry {
  readonly version?: unknown;
  readonly urls?: readonly string[];
  readonly digest?: string;
}

/** The entry of a Helm repository's index for a chart, with or without a leading v. */
export function findEntry(
  index: string,
  chart: Pick<BundleChart, "name" | "version">,
): IndexEntry | undefined {
  const { entries } = (parse(index, { maxAliasCount: 100 }) ?? {}) as {
    entries?: Record<string, IndexEntry[]>;
  };
  const bare = (version: unknown): string => String(version).replace(/^v/, "");
  return entries?.[chart.name]?.find((entry) => bare(entry.version) === bare(chart.version));
}

/** Packs a chart folder so that the same files give the same bytes. */
async function pack(chart: LocalChart, file: string): Promise<void> {
  const files = await readdir(chart.path, { recursive: true, withFileTypes: true });
  const names = files
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(chart.path.length + 1))
    .sort();
  const fixed = { portable: true, mtime: new Date(0) };
  await create({ file, cwd: chart.path, prefix: chart.name, gzip: { level: 9 }, ...fixed }, names);
}
