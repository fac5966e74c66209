import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { z } from "zod";
import { PRODUCTS, releaseSchema } from "./schema.ts";
import type { Product, Release, ReleaseOf } from "./schema.ts";

const kubernetesMinor = z.string().regex(/^\d+\.\d+$/, "a Kubernetes minor, like 1.34");

/** A version for every product that users choose by version. */
export const setSchema = z.strictObject({
  /** Short name, also the name under which docs and commands list it. */
  name: z.string().regex(/^[a-z0-9.-]+$/),
  summary: z.string(),
  /** How well the set is founded: run by us, inside published rows, or merely in use. */
  evidence: z.enum(["tested", "upstream", "user-named"]),
  /** Kubernetes minors on which we ran it; `tested` says nothing of others. */
  testedOn: z.array(kubernetesMinor).default([]),
  /** Rules that the set breaks, blocking ones only; a stack with this set has to acknowledge them. */
  breaks: z.array(z.string()).default([]),
  kserve: z.string(),
  "knative-serving": z.string(),
  "knative-operator": z.string(),
  istio: z.string(),
  "cert-manager": z.string(),
  "gateway-api": z.string(),
  /** Only where this release of KServe writes Gateway API routes. */
  "envoy-gateway": z.string().optional(),
  /** Kubernetes minors on which every rule lets the set pass, but for `breaks`. */
  kubernetes: z.array(kubernetesMinor).min(1),
  source: z.string().min(1),
});
export type VersionSet = z.infer<typeof setSchema>;

const setsFileSchema = z.strictObject({ default: z.string(), sets: z.array(setSchema).min(1) });

/** A catalog file that breaks the form; the message names file, key and what is wrong. */
export class CatalogError extends Error {}

/** All releases the program knows, and the sets of them that belong together. */
export class Catalog {
  readonly sets: readonly VersionSet[];
  readonly defaultSet: VersionSet;
  readonly #releases: ReadonlyMap<string, Release>;

  constructor(releases: readonly Release[], sets: readonly VersionSet[], defaultName: string) {
    this.#releases = new Map(
      releases.map((release) => [`${release.product}/${release.version}`, release]),
    );
    this.sets = sets;
    const found = sets.find((set) => set.name === defaultName);
    if (found === undefined)
      throw new CatalogError(`sets.json: default names the unknown set "${defaultName}"`);
    this.defaultSet = found;
  }

  /** One release; `undefined` when the catalog has no row for it. */
  find<P extends Product>(product: P, version: string): ReleaseOf<P> | undefined {
    return this.#releases.get(`${product}/${version}`) as ReleaseOf<P> | undefined;
  }

  /** One release that is known to exist because the plan resolved it before. */
  get<P extends Product>(product: P, version: string): ReleaseOf<P> {
    const release = this.find(product, version);
    if (release === undefined) throw new CatalogError(`the catalog has no ${product} ${version}`);
    return release;
  }

  /** Versions of a product, newest first. */
  versions(product: Product): readonly string[] {
    return this.releases()
      .filter((release) => release.product === product)
      .map((release) => release.version)
      .sort(semver.rcompare);
  }

  /** Every release, in no particular order. */
  releases(): readonly Release[] {
    return [...this.#releases.values()];
  }
}

let ours: Catalog | undefined;

/**
 * Reads a catalog folder: `sets.json` and one file per release, `<product>/<version>.json`; this one, unless told
 * otherwise, and that only once in a process. Throws a `CatalogError` that names the first broken file and key.
 */
export function loadCatalog(directory?: string): Catalog {
  if (directory !== undefined) return readCatalog(directory);
  ours ??= readCatalog(import.meta.dirname);
  return ours;
}

function readCatalog(directory: string): Catalog {
  refuseUnknownFolders(directory);
  const releases = PRODUCTS.flatMap((product) => loadProduct(directory, product));
  const sets = parse(setsFileSchema, join(directory, "sets.json"), "sets.json");
  checkSets(sets.sets, releases);
  return new Catalog(releases, sets.sets, sets.default);
}

function refuseUnknownFolders(directory: string): void {
  const folders = readdirSync(directory, { withFileTypes: true }).filter((item) =>
    item.isDirectory(),
  );
  const unknown = folders.find((folder) => !(PRODUCTS as readonly string[]).includes(folder.name));
  if (unknown !== undefined)
    throw new CatalogError(`${unknown.name}/: no such product; known: ${PRODUCTS.join(", ")}`);
}

/** Products that every set names, each of which must be a release of the catalog. */
export const SET_PRODUCTS = [
  "kserve",
  "knative-serving",
  "knative-operator",
  "istio",
  "cert-manager",
  "gateway-api",
] as const;

/** Products that only some sets name. */
const OPTIONAL_SET_PRODUCTS = ["envoy-gateway"] as const;

function checkSets(sets: readonly VersionSet[], releases: readonly Release[]): void {
  const known = new Set(releases.map((release) => `${release.product}/${release.version}`));
  const names = new Set<string>();
  sets.forEach((set, index) => {
    const at = `sets.json: sets.${String(index)}`;
    if (names.has(set.name)) throw new CatalogError(`${at}.name: "${set.name}" is there twice`);
    names.add(set.name);
    const named = [...SET_PRODUCTS, ...OPTIONAL_SET_PRODUCTS.filter((product) => product in set)];
    const missing = named.find((product) => !known.has(`${product}/${set[product] ?? ""}`));
    if (missing !== undefined)
      throw new CatalogError(`${at}.${missing}: no file ${missing}/${set[missing] ?? ""}.json`);
  });
}

function loadProduct(directory: string, product: Product): Release[] {
  const folder = join(directory, product);
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => {
      const name = `${product}/${file}`;
      const release = parse(releaseSchema, join(folder, file), name);
      if (release.product !== product || `${release.version}.json` !== file) {
        throw new CatalogError(
          `${name}: holds ${release.product} ${release.version}; file and content must agree`,
        );
      }
      return release;
    });
}

function parse<T>(schema: z.ZodType<T>, path: string, name: string): T {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new CatalogError(`${name}: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    (issue) => `${name}: ${issue.path.map(String).join(".")}: ${issue.message}`,
  );
  throw new CatalogError(issues.join("\n"));
}
