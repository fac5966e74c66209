import type { Selection } from "../compat/rule.ts";
import { featuresOf } from "../config/features.ts";
import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { Product } from "../versions/schema.ts";
import type { ResolvedIngress } from "./plan.ts";

/** Products whose versions users choose, with the config key of each. */
const CHOICES = [
  ["kserve", "kserve:kserve.version", (settings: Settings) => settings.kserve.version],
  ["knative-serving", "kserve:knative.version", (settings: Settings) => settings.knative.version],
  [
    "knative-operator",
    "kserve:knative.operatorVersion",
    (settings: Settings) => settings.knative.operatorVersion,
  ],
  ["istio", "kserve:istio.version", (settings: Settings) => settings.istio.version],
  [
    "envoy-gateway",
    "kserve:envoyGateway.version",
    (settings: Settings) => settings.envoyGateway.version,
  ],
  [
    "cert-manager",
    "kserve:certManager.version",
    (settings: Settings) => settings.certManager.version,
  ],
  ["gateway-api", "kserve:gatewayApi.version", (settings: Settings) => settings.gatewayApi.version],
] as const;

/** Products that this stack installs, by mode and ingress. */
export function neededProducts(settings: Settings, ingress: ResolvedIngress): ReadonlySet<Product> {
  const needed = new Set<Product>(["cert-manager", "kserve"]);
  if (["istio", "envoy", "gateway-class"].includes(ingress.type)) needed.add("gateway-api");
  if (ingress.type === "istio") needed.add("istio");
  if (ingress.type === "envoy") needed.add("envoy-gateway");
  if (settings.mode === "Serverless") needed.add("knative-serving").add("knative-operator");
  return needed;
}

/** Versions of everything that will be installed: the stack's own choices over the set around its KServe version. */
export function selectVersions(
  settings: Settings,
  ingress: ResolvedIngress,
  catalog: Catalog,
): { readonly selection: Selection; readonly problems: readonly Problem[] } {
  const needed = neededProducts(settings, ingress);
  const set = setAround(settings.kserve.version, catalog);
  const versions: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [product, key, choice] of CHOICES) {
    if (!needed.has(product)) continue;
    const chosen = choice(settings);
    const version =
      chosen ??
      (product === "knative-operator" ? operatorFor(settings, set, catalog) : set[product]);
    if (version === undefined) {
      problems.push(unnamedVersion(product, key, set, catalog));
      continue;
    }
    versions[product] = version;
    if (catalog.find(product, version) === undefined)
      problems.push(unknownVersion(product, key, version, catalog));
  }
  if (settings.kubernetes.version !== undefined)
    versions["kubernetes"] = settings.kubernetes.version;
  const features = featuresOf(settings);
  return {
    selection: { versions, mode: settings.mode, ingress: ingress.type, features },
    problems,
  };
}

/** The set of a KServe release; for one without a set of its own that of the same minor, at last the default set. */
function setAround(kserve: string | undefined, catalog: Catalog): Catalog["defaultSet"] {
  const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");
  return (
    catalog.sets.find((set) => set.kserve === kserve) ??
    catalog.sets.find((set) => kserve !== undefined && minorOf(set.kserve) === minorOf(kserve)) ??
    catalog.defaultSet
  );
}

/**
 * The operator that goes with a Serving version chosen by hand: the newest of the same minor that carries it. The
 * set's own operator stays when the Serving version is the set's.
 */
function operatorFor(settings: Settings, set: Catalog["defaultSet"], catalog: Catalog): string {
  const serving = settings.knative.version;
  if (serving === undefined || serving === set["knative-serving"]) return set["knative-operator"];
  const minor = serving.split(".").slice(0, 2).join(".");
  const carrying = catalog.versions("knative-operator").filter((version) => {
    const release = catalog.get("knative-operator", version);
    return version.startsWith(`${minor}.`) && release.carries[minor] !== undefined;
  });
  return carrying[0] ?? set["knative-operator"];
}

/** Not every set names every product: a set of a release that writes no routes has no Envoy Gateway. */
function unnamedVersion(
  product: Product,
  key: string,
  set: Catalog["defaultSet"],
  catalog: Catalog,
): Problem {
  return {
    code: "config-version-missing",
    level: "block",
    where: key,
    found: `nothing, and the set ${set.name} names no ${product}`,
    allowed: catalog.versions(product).join(", "),
    fix: `set ${key} to one of them`,
  };
}

function unknownVersion(product: Product, key: string, version: string, catalog: Catalog): Problem {
  const known = catalog.versions(product);
  return {
    code: "catalog-version-unknown",
    level: "block",
    where: key,
    found: JSON.stringify(version),
    allowed: `a version with a row in the catalog: ${known.join(", ")}`,
    fix: `choose one of them, or add versions/${product}/${version}.json with its sources`,
  };
}
