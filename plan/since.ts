import { parseReference } from "../images/reference.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { CatalogImage, Product } from "../versions/schema.ts";

const byCatalog = new WeakMap<Catalog, Map<Product, ReadonlyMap<string, string>>>();

/**
 * Since which release of its product an image is listed, tags aside: `0.17.1`, or `0.11.0 or before` where it is in
 * the oldest release that the catalog has. Only releases in the catalog are looked at.
 */
export function listedSince(catalog: Catalog, product: Product, image: CatalogImage): string {
  const oldest = catalog.versions(product).at(-1) ?? "";
  const first = indexOf(catalog, product).get(repositoryOf(image.image)) ?? oldest;
  return first === oldest ? `${oldest} or before` : first;
}

/** Computed once for a catalog, since plans of all releases are listed in one go. */
function indexOf(catalog: Catalog, product: Product): ReadonlyMap<string, string> {
  const products = byCatalog.get(catalog) ?? new Map<Product, ReadonlyMap<string, string>>();
  byCatalog.set(catalog, products);
  const known = products.get(product);
  if (known !== undefined) return known;
  const index = new Map<string, string>();
  // Newest first, so that the oldest release has the last word.
  for (const version of catalog.versions(product))
    for (const { image } of catalog.find(product, version)?.images ?? [])
      index.set(repositoryOf(image), version);
  products.set(product, index);
  return index;
}

function repositoryOf(image: string): string {
  const reference = parseReference(image);
  return reference === undefined ? image : `${reference.host}/${reference.repository}`;
}
