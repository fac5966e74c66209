import semver from "semver";
import type { Catalog } from "../../versions/catalog.ts";
import type { CatalogImage, Product, Release } from "../../versions/schema.ts";

/**
 * Images that the rows around a release list and the release itself does not: a row that lost a line looks complete to
 * everybody who reads it alone. The rows around are all of the same minor, or else the ones directly before and after.
 */
export function lostImages(catalog: Catalog, release: Release): CatalogImage[] {
  const own = new Set(release.images.map(({ name }) => name));
  const around = rowsAround(catalog, release);
  const [first, ...others] = around;
  if (first === undefined) return [];
  return first.images.filter(
    ({ name }) =>
      !own.has(name) && others.every(({ images }) => images.some((image) => image.name === name)),
  );
}

function rowsAround(catalog: Catalog, release: Release): Release[] {
  const rows = rowsOf(catalog, release.product);
  const minor = rows.filter(
    ({ version }) => version !== release.version && minorOf(version) === minorOf(release.version),
  );
  if (minor.length > 0) return minor;
  const index = rows.findIndex(({ version }) => version === release.version);
  const [before, after] = [rows[index - 1], rows[index + 1]];
  return before === undefined || after === undefined ? [] : [before, after];
}

/** Rows of a product whose minor is that of a version, oldest first. */
export function rowsOfMinor(catalog: Catalog, product: Product, version: string): Release[] {
  return rowsOf(catalog, product).filter((row) => minorOf(row.version) === minorOf(version));
}

function rowsOf(catalog: Catalog, product: Product): Release[] {
  return catalog
    .releases()
    .filter((row) => row.product === product)
    .sort((one, two) => semver.compare(one.version, two.version));
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
