import type { Catalog } from "../versions/catalog.ts";
import type { Release } from "../versions/schema.ts";
import type { Rule } from "./rule.ts";
import { RULES } from "./rules/index.ts";
import { PUBLISHED_ROWS } from "./rules/kserve-rows.ts";
import type { PublishedRow } from "./rules/kserve-rows.ts";
import { noRowRule, rulesOfRows } from "./rules/kserve.ts";

const known = new WeakMap<Catalog, readonly Rule[]>();

/**
 * Every rule that holds for a catalog: those of the tables, and those that releases bring along in their data files
 * (`rows`, `demands`). A new release is therefore a data file and no code.
 */
export function rulesOf(catalog: Catalog): readonly Rule[] {
  const cached = known.get(catalog);
  if (cached !== undefined) return cached;
  const rules = derive(catalog.releases());
  known.set(catalog, rules);
  return rules;
}

function derive(releases: readonly Release[]): readonly Rule[] {
  const rows = releases.flatMap(rowsOf);
  const demands = releases.flatMap(demandsOf);
  if (rows.length === 0) return [...RULES, ...demands];
  const covered = [...PUBLISHED_ROWS, ...rows].map((row) => row.kserve);
  const noRow = noRowRule(covered);
  return [...RULES.filter((rule) => rule.id !== noRow.id), noRow, ...rulesOfRows(rows), ...demands];
}

function rowsOf(release: Release): PublishedRow[] {
  if (release.product !== "kserve") return [];
  return release.rows.map((row) => ({ kserve: release.version, ...row }));
}

function demandsOf(release: Release): Rule[] {
  return release.demands.map(({ subject, range, because, source }) => ({
    id: `compat-${release.product}-${subject}`,
    when: { [release.product]: release.version },
    requires: { subject, range },
    level: "block",
    evidence: "upstream",
    source,
    because,
  }));
}
