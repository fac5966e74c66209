import { describe, expect, it } from "vitest";
import { firedRules } from "../../../compat/check.ts";
import { rulesOf } from "../../../compat/rules-of.ts";
import { suggest } from "../../../compat/suggest.ts";
import type { SuggestRequest } from "../../../compat/suggest.ts";
import type { SuggestedSet } from "../../../compat/suggested-set.ts";
import { PRODUCTS } from "../../../versions/schema.ts";
import { catalog } from "../../support/settings.ts";

const SERVERLESS = {
  mode: "Serverless",
  ingress: "istio",
  products: new Set(PRODUCTS.filter((product) => product !== "envoy-gateway")),
  asOf: "2026-11-21",
} as const;

const ask = (
  wanted: SuggestRequest["wanted"],
  rest: Partial<SuggestRequest> = {},
): SuggestedSet[] => suggest({ ...SERVERLESS, wanted, ...rest }, catalog);

describe("suggest", () => {
  it("names complete sets for a release and a cluster", () => {
    const sets = ask({ kubernetes: "1.30", kserve: "0.15" });
    expect(sets).toHaveLength(5);
    expect(sets[0]).toMatchObject({
      versions: { kserve: "0.15.2", istio: "1.23.2", "knative-serving": "1.16.3" },
      kubernetes: ["1.30"],
      breaks: [],
    });
  });

  it("puts the best evidence first, though others are newer", () => {
    const sets = ask({});
    expect(sets.map((set) => set.evidence)).toEqual([
      "tested",
      "tested",
      "upstream",
      "upstream",
      "upstream",
    ]);
    expect(sets[0]).toMatchObject({ name: catalog.defaultSet.name, breaks: [] });
  });

  it.each(catalog.versions("kserve"))(
    "finds for KServe %s only sets that keep every rule",
    (kserve) => {
      for (const set of ask({ kserve })) {
        for (const kubernetes of set.kubernetes) {
          const selection = { versions: { ...set.versions, kubernetes }, ...SERVERLESS };
          const blocking = firedRules(selection, { rules: rulesOf(catalog) }).filter(
            (rule) => rule.level === "block",
          );
          expect([...new Set(blocking.map((rule) => rule.id))].sort()).toEqual(
            [...set.breaks].sort(),
          );
        }
      }
    },
  );

  it("knows the historic set as one that users run, and what it breaks", () => {
    const [set] = ask({
      kubernetes: "1.28.6",
      kserve: "0.15.2",
      istio: "1.17.2",
      "knative-serving": "1.12.3",
      "cert-manager": "1.13.3",
      "gateway-api": "1.2.1",
    });
    expect(set).toMatchObject({ name: "historic-0.15", evidence: "user-named" });
    expect(set?.breaks).toContain("compat-kserve-istio");
  });

  it("chooses Envoy Gateway where the ingress asks for it, the set's own first", () => {
    const products = new Set(["kserve", "cert-manager", "gateway-api", "envoy-gateway"] as const);
    const rest = { mode: "RawDeployment", ingress: "envoy", products } as const;
    const [first, ...others] = ask({ kserve: "0.20", kubernetes: "1.34" }, rest);
    expect(first).toMatchObject({ name: "kserve-0.20", breaks: [] });
    expect(first?.versions["envoy-gateway"]).toBe("1.8.3");
    for (const set of others) expect(set.versions["envoy-gateway"]).toMatch(/^1\.[789]\./);
    const wanted = ask({ kserve: "0.20", "envoy-gateway": "1.9" }, rest);
    for (const set of wanted) expect(set.versions["envoy-gateway"]).toBe("1.9.0");
    expect(wanted.length).toBeGreaterThan(0);
  });

  it("keeps to releases that have the mode", () => {
    const sets = ask(
      {},
      { mode: "ModelMesh", ingress: "none", products: new Set(["kserve", "cert-manager"]) },
    );
    for (const set of sets) expect(set.versions.kserve).toMatch(/^0\.1[1-4]\./);
  });

  it("answers with nothing for what the catalog does not know", () => {
    expect(ask({ kserve: "9" })).toEqual([]);
    expect(ask({ istio: "0.1" })).toEqual([]);
  });
});
