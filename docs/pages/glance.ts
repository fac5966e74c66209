import { firedRules } from "../../compat/check.ts";
import { rulesOf } from "../../compat/rules-of.ts";
import { KUBERNETES_MINORS, suggest } from "../../compat/suggest.ts";
import type { SuggestedSet } from "../../compat/suggested-set.ts";
import type { Catalog, VersionSet } from "../../versions/catalog.ts";
import { PRODUCTS } from "../../versions/schema.ts";
import { table } from "./markdown.ts";

/** Colour of each degree of evidence. */
export const COLOURS = { tested: "🟩", upstream: "🟦", "user-named": "🟨", none: "⬜" } as const;

/** A day before every end of life, so that the page is the same on every day; ends of life have a table of their own. */
const ANY_DAY = "2000-01-01";

/** What a Serverless stack with Istio installs: everything but the other ingress layer. */
const SERVERLESS = new Set(PRODUCTS.filter((product) => product !== "envoy-gateway"));

/** KServe releases against Kubernetes minors: the best complete set of the catalog in each cell, Serverless with Istio. */
export function glance(catalog: Catalog): string {
  const cells = new Map<string, SuggestedSet>();
  for (const kserve of catalog.versions("kserve")) {
    for (const kubernetes of KUBERNETES_MINORS) {
      const best = bestSet(catalog, kserve, kubernetes);
      if (best !== undefined) cells.set(`${kserve} ${kubernetes}`, best);
    }
  }
  const minors = KUBERNETES_MINORS.filter((minor) =>
    [...cells.keys()].some((key) => key.endsWith(` ${minor}`)),
  );
  const rows = catalog
    .versions("kserve")
    .map((kserve) => [
      `**${kserve}**`,
      ...minors.map((minor) => text(cells.get(`${kserve} ${minor}`))),
    ]);
  return table(["KServe", ...minors.map((minor) => `Kubernetes ${minor}`)], rows);
}

function bestSet(catalog: Catalog, kserve: string, kubernetes: string): SuggestedSet | undefined {
  if (isRefused(catalog, kserve, kubernetes)) return namedSet(catalog, kserve, kubernetes);
  const [best] = suggest(
    {
      wanted: { kserve, kubernetes },
      mode: "Serverless",
      ingress: "istio",
      products: SERVERLESS,
      asOf: ANY_DAY,
      limit: 1,
    },
    catalog,
  );
  if (best?.breaks.length === 0 || best?.name !== undefined) return best;
  return namedSet(catalog, kserve, kubernetes);
}

/** True when the release and the cluster alone break a rule: no search can mend that. */
function isRefused(catalog: Catalog, kserve: string, kubernetes: string): boolean {
  const selection = { versions: { kserve, kubernetes }, mode: "Serverless" } as const;
  const fired = firedRules(selection, { rules: rulesOf(catalog), asOf: ANY_DAY });
  return fired.some((rule) => rule.level === "block");
}

/** Where nothing fits: the set that is named all the same, with what it breaks. */
function namedSet(catalog: Catalog, kserve: string, minor: string): SuggestedSet | undefined {
  const set = catalog.sets.find(
    (item) => item.kserve === kserve && item.kubernetes.includes(minor),
  );
  if (set === undefined) return undefined;
  const { name, evidence, breaks, kubernetes, istio } = set;
  const versions = { istio, "knative-serving": set["knative-serving"] };
  return { name, versions, kubernetes, evidence, breaks, warnings: [] };
}

function text(set: SuggestedSet | undefined): string {
  if (set === undefined) return "";
  const { istio = "", "knative-serving": knative = "" } = set.versions;
  const mark = set.breaks.length === 0 ? "" : " ⚠";
  return `${COLOURS[set.evidence]} ${istio} / ${knative}${mark}`;
}

/** The sets of the catalog with everything they name. */
export function setsTable(catalog: Catalog): string {
  const rows = catalog.sets.map((set) => [
    `${COLOURS[set.evidence]} ${set.evidence}`,
    set.name === catalog.defaultSet.name ? `**${set.name}** (default)` : set.name,
    set.kserve,
    modesOf(set, catalog),
    set.kubernetes.join(", "),
    set["knative-serving"],
    set["knative-operator"],
    set.istio,
    set["cert-manager"],
    set["gateway-api"],
    set["envoy-gateway"] ?? "",
    set.breaks.map((rule) => `\`${rule}\``).join(", "),
  ]);
  const head =
    "Evidence,Set,KServe,Modes,Kubernetes,Knative,Operator,Istio,cert-manager,Gateway API,Envoy Gateway";
  return table([...head.split(","), "Acknowledge"], rows);
}

function modesOf(set: VersionSet, catalog: Catalog): string {
  const spelling = catalog.get("kserve", set.kserve).modes.spelling;
  return Object.entries(spelling)
    .map(([mode, spelled]) => (mode === spelled ? mode : `${mode} (${spelled})`))
    .join(", ");
}
