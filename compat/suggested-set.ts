import semver from "semver";
import type { Product } from "../versions/schema.ts";
import { EVIDENCE } from "./rule.ts";
import type { Evidence } from "./rule.ts";

/** A complete set of versions and what is known of it. */
export interface SuggestedSet {
  readonly versions: Readonly<Partial<Record<Product, string>>>;
  /** Kubernetes minors on which the same is true of it, newest first. */
  readonly kubernetes: readonly string[];
  /** `none`: it breaks a rule and nobody is known to run it. */
  readonly evidence: Evidence | "none";
  /** Name of the catalog's set, where it is one. */
  readonly name?: string;
  /** Ids of blocking rules that a stack with it has to acknowledge. */
  readonly breaks: readonly string[];
  /** Ids of rules that only warn. */
  readonly warnings: readonly string[];
}

/** The same versions with the same verdict on several minors of Kubernetes are one set. */
export function mergeSets(sets: readonly SuggestedSet[]): SuggestedSet[] {
  const byKey = new Map<string, SuggestedSet>();
  for (const set of sets) {
    const { versions, breaks, warnings, evidence } = set;
    const sorted = Object.entries(versions).sort(([a], [b]) => a.localeCompare(b));
    const key = JSON.stringify([sorted, breaks, warnings, evidence]);
    const other = byKey.get(key);
    const kubernetes = [...new Set([...(other?.kubernetes ?? []), ...set.kubernetes])];
    byKey.set(key, { ...set, kubernetes });
  }
  return [...byKey.values()];
}

/** Subjects in the order in which a newer one makes the better set. */
const ORDER: readonly Product[] = [
  "kserve",
  "knative-serving",
  "istio",
  "envoy-gateway",
  "gateway-api",
  "cert-manager",
  "knative-operator",
];

/** Best first: evidence, then fewest warnings, then newest. */
export function compareSets(a: SuggestedSet, b: SuggestedSet): number {
  const rank = (set: SuggestedSet): number =>
    set.evidence === "none" ? EVIDENCE.length : EVIDENCE.indexOf(set.evidence);
  const differences = [rank(a) - rank(b), a.warnings.length - b.warnings.length];
  const newer = ORDER.map((product) =>
    semver.rcompare(a.versions[product] ?? "0.0.0", b.versions[product] ?? "0.0.0"),
  );
  return [...differences, ...newer].find((difference) => difference !== 0) ?? 0;
}
