import { createRegistryPolicy } from "../../policies/registry.ts";
import { resolve } from "../../plan/resolve.ts";
import type { Plan } from "../../plan/plan.ts";
import { formatProblems } from "../../problems/problem.ts";
import { Catalog } from "../../versions/catalog.ts";
import type { CatalogImage, Product, Release } from "../../versions/schema.ts";
import { setStackConfig } from "./program.ts";
import { judge } from "./policy-args.ts";
import { catalog, settingsOf } from "./settings.ts";

/** Registry of the stacks that are judged. */
export const HOST = "harbor.test";
export const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";

export type Props = Record<string, unknown>;

/** What the policy says in a stack whose registry is set, with a catalog of its own. */
export async function violations(
  type: string,
  props: Props,
  { rows = catalog, registry = {} }: { rows?: Catalog; registry?: Props } = {},
): Promise<readonly string[]> {
  setStackConfig({ registry: { host: HOST, ...registry } });
  const verdict = await judge(createRegistryPolicy(rows), { type, name: "subject", props });
  return verdict.violations;
}

/** The catalog with the images of one release changed. */
export function withImages(
  product: Product,
  version: string,
  change: (images: readonly CatalogImage[]) => readonly CatalogImage[],
): Catalog {
  const releases = catalog
    .releases()
    .map((row) =>
      row.product === product && row.version === version
        ? ({ ...row, images: change(row.images) } as Release)
        : row,
    );
  return new Catalog(releases, catalog.sets, catalog.defaultSet.name);
}

/** The plan of a stack whose registry is set, from that catalog. Throws with the report when there is none. */
export function planWith(rows: Catalog, raw: Props = {}): Plan {
  const settings = settingsOf({ registry: { host: HOST }, ...raw });
  const { plan, problems } = resolve(settings, rows);
  if (plan === undefined) throw new Error(formatProblems(problems));
  return plan;
}
