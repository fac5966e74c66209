import { parseSettings } from "../config/parse.ts";
import { MODES } from "../config/schema.ts";
import { resolve } from "../plan/resolve.ts";
import type { Catalog } from "../versions/catalog.ts";

/** Plans every KServe release of the catalog in every mode that it has: rules checked, images listed. */
export function planEverything(catalog: Catalog): { plans: number; seconds: number } {
  const started = performance.now();
  let plans = 0;
  for (const version of catalog.versions("kserve"))
    for (const mode of MODES) plans += planned(catalog, version, mode) ? 1 : 0;
  return { plans, seconds: (performance.now() - started) / 1000 };
}

function planned(catalog: Catalog, version: string, mode: string): boolean {
  const set = catalog.sets.find((item) => item.kserve === version);
  const raw = {
    mode,
    kserve: { version },
    kubernetes: { version: set?.kubernetes.at(-1) ?? "1.34" },
    acknowledge: (set?.breaks ?? []).map((rule) => ({ rule, reason: "only time is looked at" })),
  };
  const { settings } = parseSettings(raw);
  return settings !== undefined && resolve(settings, catalog).plan !== undefined;
}
