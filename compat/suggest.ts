import type { IngressType, Mode } from "../config/schema.ts";
import { SET_PRODUCTS } from "../versions/catalog.ts";
import type { Catalog, VersionSet } from "../versions/catalog.ts";
import type { Product } from "../versions/schema.ts";
import { firedRules, fires, satisfies } from "./check.ts";
import { carries } from "./operator.ts";
import type { Evidence, Rule, Subject } from "./rule.ts";
import { rulesOf } from "./rules-of.ts";
import { compareSets, mergeSets } from "./suggested-set.ts";
import type { SuggestedSet } from "./suggested-set.ts";

/** Kubernetes minors that any table of the rules speaks of, newest first. */
export const KUBERNETES_MINORS: readonly string[] = Array.from(
  { length: 16 },
  (_, index) => `1.${String(37 - index)}`,
);

/** What a set has to have, and what it is for. */
export interface SuggestRequest {
  /** Wanted versions, whole or as prefixes (`0.15`); a subject that is missing is free. */
  readonly wanted: Readonly<Partial<Record<Subject, string>>>;
  readonly mode: Mode;
  readonly ingress: IngressType;
  /** Products that this mode and ingress install. */
  readonly products: ReadonlySet<Product>;
  /** Day for which dated rules are judged, `YYYY-MM-DD`. @default today (UTC) */
  readonly asOf?: string;
  /** Longest answer, in sets. @default 5 */
  readonly limit?: number;
}

interface Search {
  readonly catalog: Catalog;
  readonly rules: readonly Rule[];
  readonly request: SuggestRequest;
}

type Versions = Readonly<Partial<Record<Subject, string>>>;

/** Products that are chosen freely, with how many of the best minors of each take part in the search. */
const CHOICES: readonly (readonly [product: Product, minors: number])[] = [
  ["istio", 3],
  ["envoy-gateway", 3],
  ["knative-serving", 3],
  ["cert-manager", 3],
  ["gateway-api", 10],
];

/**
 * Complete sets of versions that fit a wish, best first: fewest broken rules, best evidence, fewest warnings, newest.
 * Pure. When nothing fits, the sets that break the fewest rules are named with the rules they break.
 */
export function suggest(request: SuggestRequest, catalog: Catalog): SuggestedSet[] {
  const search: Search = { catalog, rules: rulesOf(catalog), request };
  const releases = matching("kserve", search).filter(
    (version) => catalog.get("kserve", version).modes.spelling[request.mode] !== undefined,
  );
  const found = releases.flatMap((kserve) => setsOfRelease(kserve, search));
  if (found.length === 0) return [];
  const fewest = Math.min(...found.map((set) => set.breaks.length));
  return mergeSets(found.filter((set) => set.breaks.length === fewest))
    .sort(compareSets)
    .slice(0, request.limit ?? 5);
}

function clusters({ request }: Search): Versions[] {
  const wanted = request.wanted.kubernetes;
  if (wanted !== undefined) return [{ kubernetes: wanted }];
  return KUBERNETES_MINORS.map((kubernetes) => ({ kubernetes }));
}

function setsOfRelease(kserve: string, search: Search): SuggestedSet[] {
  // Rules about other releases of KServe cannot fire here.
  const rules = search.rules.filter((rule) => satisfies(kserve, rule.when.kserve ?? "*"));
  const narrow: Search = { ...search, rules };
  const starts = clusters(search).map((cluster): Versions => ({ ...cluster, kserve }));
  const costs = starts.map((start) => cost(start, narrow).blocking);
  const fewest = Math.min(...costs);
  return starts
    .filter((_, index) => costs[index] === fewest)
    .flatMap((start) => setsAround(start, narrow));
}

function setsAround(start: Versions, search: Search): SuggestedSet[] {
  const chosen = CHOICES.filter(([product]) => search.request.products.has(product));
  const complete = chosen.reduce<Versions[]>(
    (sets, [product, minors]) => {
      const candidates = bestMinors(product, start, search).slice(0, minors);
      return sets.flatMap((set) => candidates.map((version) => ({ ...set, [product]: version })));
    },
    [start],
  );
  const found = complete.flatMap((versions) => withOperator(versions, search));
  return [...namedSets(start, search), ...found].map((set) => judge(set, search));
}

/** The catalog's own sets that meet the wish: they are the better founded ones, whatever is newer. */
function namedSets(start: Versions, search: Search): Versions[] {
  const { products, ingress } = search.request;
  const choices = products.has("envoy-gateway")
    ? [...SET_PRODUCTS, "envoy-gateway" as const]
    : SET_PRODUCTS;
  const meets = (set: VersionSet): boolean =>
    set.kserve === start.kserve &&
    set.kubernetes.includes(minorOf(start.kubernetes ?? "")) &&
    choices.every((product) => matching(product, search).includes(set[product] ?? ""));
  return search.catalog.sets.filter(meets).map((set) => {
    const entries = choices.filter((product) => products.has(product));
    const versions = Object.fromEntries(entries.map((product) => [product, set[product]]));
    const plugin = ingress === "kourier" ? "kourier" : "istio";
    const operator = search.catalog.find("knative-operator", versions["knative-operator"] ?? "");
    const brings = operator?.carries[minorOf(set["knative-serving"])]?.ingress[plugin];
    return {
      ...start,
      ...versions,
      ...(brings === undefined ? {} : { [`net-${plugin}`]: brings }),
    };
  });
}

/** One version of each minor that breaks the fewest rules beside the release and the cluster, newest first. */
function bestMinors(product: Product, start: Versions, search: Search): string[] {
  const costs = matching(product, search).map((version) => {
    return { version, ...cost({ ...start, [product]: version }, search) };
  });
  const fewest = Math.min(...costs.map((item) => item.blocking));
  const byMinor = new Map<string, (typeof costs)[number]>();
  for (const item of costs.filter((candidate) => candidate.blocking === fewest)) {
    const minor = minorOf(item.version);
    const other = byMinor.get(minor);
    if (other === undefined || item.warnings < other.warnings) byMinor.set(minor, item);
  }
  return [...byMinor.values()].map((item) => item.version);
}

/** The newest operator that carries the Serving release and breaks nothing, and the network plugin it brings. */
function withOperator(versions: Versions, search: Search): Versions[] {
  const serving = versions["knative-serving"];
  if (serving === undefined) return [versions];
  const plugin = search.request.ingress === "kourier" ? "kourier" : "istio";
  const candidates = matching("knative-operator", search).flatMap((version): Versions[] => {
    const operator = search.catalog.get("knative-operator", version);
    const brings = operator.carries[minorOf(serving)]?.ingress[plugin];
    if (!carries(operator, serving) || brings === undefined) return [];
    return [{ ...versions, "knative-operator": version, [`net-${plugin}`]: brings }];
  });
  // An operator of Serving's own minor first: newer ones are for the way up.
  const own = candidates.filter(
    (set) => minorOf(set["knative-operator"] ?? "") === minorOf(serving),
  );
  const aboutOperators = search.rules.filter((rule) => "knative-operator" in rule.when);
  const sound = [...own, ...candidates].filter(
    (set) => !aboutOperators.some((rule) => fires(rule, { versions: set })),
  );
  return [...sound, ...candidates].slice(0, 1);
}

function judge(versions: Versions, search: Search): SuggestedSet {
  const fired = verdict(versions, search);
  const ids = (level: "block" | "warn"): string[] => [
    ...new Set(fired.filter((rule) => rule.level === level).map((rule) => rule.id)),
  ];
  const breaks = ids("block");
  const named = search.catalog.sets.find((set) => isSame(set, versions));
  const { kubernetes = "", ...products } = versions;
  return {
    versions: products,
    kubernetes: [kubernetes],
    evidence: evidenceOf(named, kubernetes) ?? (breaks.length === 0 ? "upstream" : "none"),
    breaks,
    warnings: ids("warn"),
    ...(named === undefined ? {} : { name: named.name }),
  };
}

/** What the catalog's set says of itself there: what was run on one Kubernetes minor is not run on the others. */
function evidenceOf(named: VersionSet | undefined, kubernetes: string): Evidence | undefined {
  if (named?.evidence !== "tested") return named?.evidence;
  return named.testedOn.includes(minorOf(kubernetes)) ? "tested" : undefined;
}

/** True when everything that the set installs is what the catalog's set names; plugins follow from the operator. */
function isSame(set: VersionSet, versions: Versions): boolean {
  if (!set.kubernetes.includes(minorOf(versions.kubernetes ?? ""))) return false;
  return Object.entries(versions).every(
    ([subject, version]) =>
      ["kubernetes", "net-istio", "net-kourier"].includes(subject) ||
      set[subject as keyof VersionSet] === version,
  );
}

function verdict(versions: Versions, { rules, request }: Search): Rule[] {
  const { mode, ingress, asOf } = request;
  return firedRules({ versions, mode, ingress }, asOf === undefined ? { rules } : { rules, asOf });
}

function cost(versions: Versions, search: Search): { blocking: number; warnings: number } {
  const fired = verdict(versions, search);
  const blocking = fired.filter((rule) => rule.level === "block").length;
  return { blocking, warnings: fired.length - blocking };
}

/** Versions of a product that begin with what is wanted, newest first. */
function matching(product: Product, { catalog, request }: Search): readonly string[] {
  const wanted = request.wanted[product];
  return catalog
    .versions(product)
    .filter(
      (version) => wanted === undefined || version === wanted || version.startsWith(`${wanted}.`),
    );
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
