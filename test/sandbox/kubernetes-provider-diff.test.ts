import { describe, expect, it } from "vitest";
import { compare } from "../../sandbox/plugins/kubernetes/resource/compare.ts";
import { differences, withoutIgnored } from "../../sandbox/plugins/kubernetes/resource/diff.ts";
import { normalize } from "../../sandbox/plugins/kubernetes/resource/normalize.ts";
import { prune } from "../../sandbox/plugins/kubernetes/resource/prune.ts";
import { canonicalQuantity } from "../../sandbox/plugins/kubernetes/resource/quantity.ts";
import { writeCheckpoint } from "../../sandbox/plugins/kubernetes/resource/state.ts";
import { containsSecret, isSecret, secret } from "../../sandbox/plugins/kubernetes/value.ts";
import { fakeSession } from "./kubernetes-provider-fakes.ts";
import type { JsonObject } from "../../sandbox/plugins/kubernetes/value.ts";

const URN = "urn:pulumi:dev::p::";

function configMap(data: JsonObject, extra: JsonObject = {}): JsonObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "n" },
    data,
    ...extra,
  };
}

function stateOf(inputs: JsonObject, live: JsonObject = inputs): JsonObject {
  return writeCheckpoint({
    inputs,
    live,
    marked: inputs,
    initialApiVersion: "v1",
    fieldManager: "pulumi-kubernetes-0",
  });
}

describe("prune", () => {
  it("keeps what the inputs name, and nothing the cluster added", () => {
    const live = { spec: { a: 1, defaulted: 2, list: [{ x: 1, y: 2 }, { x: 3 }] }, status: {} };
    expect(prune(live, { spec: { a: 9, list: [{ x: 9 }] } })).toEqual({
      spec: { a: 1, list: [{ x: 1 }] },
    });
  });

  it("keeps a value of another type whole, so that it shows as a difference", () => {
    expect(prune({ rules: null }, { rules: [] })).toEqual({ rules: null });
  });
});

describe("differences", () => {
  it("names every changed path as Pulumi writes paths", () => {
    const had = { a: { b: 1, "x.y": 1 }, list: [1, 2], gone: true };
    const wants = { a: { b: 2, "x.y": 2 }, list: [1, 3, 4], added: 1 };
    expect([...differences(had, wants)]).toEqual([
      ["a.b", "update"],
      ['a["x.y"]', "update"],
      ["list[1]", "update"],
      ["list[2]", "add"],
      ["gone", "delete"],
      ["added", "add"],
    ]);
  });

  it("takes an absent field and an empty one for the same in built-in kinds only", () => {
    const wants = { metadata: { labels: {} }, hostNetwork: false };
    expect(differences({ metadata: {} }, wants, true).size).toBe(0);
    expect(differences({ metadata: {} }, wants).size).toBe(2);
  });

  it("leaves out what is ignored, with everything below it", () => {
    const found = differences(
      { a: [{ b: 1 }, { b: 1 }], c: { d: 1 } },
      { a: [{ b: 2 }, { b: 2 }], c: { d: 2 } },
    );
    expect([...withoutIgnored(found, ["c"]).keys()]).toEqual(["a[0].b", "a[1].b"]);
    expect([...withoutIgnored(found, ["a[*].b"]).keys()]).toEqual(["c.d"]);
  });
});

describe("normalize", () => {
  it.each([
    ["1000m", "1"],
    ["1024Mi", "1Gi"],
    ["0.5", "500m"],
    ["0.5Gi", "512Mi"],
    ["2000", "2k"],
    ["100m", "100m"],
    ["not a quantity", "not a quantity"],
  ])("writes %s as %s", (given, canonical) => {
    expect(canonicalQuantity(given)).toBe(canonical);
  });

  it("turns a Secret's stringData into data", () => {
    const object = normalize({ apiVersion: "v1", kind: "Secret", stringData: { a: "b" } });
    expect(object).toEqual({ apiVersion: "v1", kind: "Secret", data: { a: "Yg==" } });
  });

  it("keeps the empty rules of an aggregated cluster role, and custom resources as they are", () => {
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", rules: [] };
    expect(normalize(role)).toEqual(role);
    const custom = {
      apiVersion: "a.io/v1",
      kind: "A",
      spec: { empty: [], limits: { cpu: "1000m" } },
    };
    expect(normalize(custom)).toEqual(custom);
  });
});

describe("state", () => {
  it("marks a Secret's data, also when the program marked nothing", () => {
    const state = stateOf({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { a: "Yg==" },
    });
    expect(isSecret(state["data"])).toBe(true);
    expect(isSecret((state["__inputs"] as JsonObject)["data"])).toBe(true);
  });

  it("marks what the program marked, wherever it is", () => {
    const inputs = configMap({ open: "1", hidden: "2" });
    const marked = configMap({ open: "1", hidden: secret("2") });
    const parts = { inputs, live: inputs, marked, initialApiVersion: "v1", fieldManager: "m" };
    const data = writeCheckpoint(parts)["data"] as JsonObject;
    expect(isSecret(data["hidden"])).toBe(true);
    expect(containsSecret(data["open"])).toBe(false);
  });
});

describe("compare", () => {
  const urn = `${URN}kubernetes:core/v1:ConfigMap::c`;

  it("replaces a ConfigMap whose data changed, and deletes the old one first because its name is fixed", async () => {
    const args = {
      urn,
      state: stateOf(configMap({ a: "1" })),
      news: configMap({ a: "2" }),
      ignored: [],
    };
    expect(await compare(fakeSession(), args)).toMatchObject({
      replaces: ["data.a"],
      deleteBeforeReplace: true,
    });
    const mutable = fakeSession({ mutable: { configMaps: true, secrets: false } });
    expect(await compare(mutable, args)).toMatchObject({ replaces: [] });
    const frozen = { ...args, news: configMap({ a: "2" }, { immutable: true }) };
    expect((await compare(mutable, frozen)).replaces).toEqual(["data.a"]);
  });

  it("makes a new object without deleting the old one first when Pulumi chose the name", async () => {
    const metadata = {
      name: "c-1",
      namespace: "n",
      annotations: { "pulumi.com/autonamed": "true" },
    };
    const state = stateOf({ ...configMap({ a: "1" }), metadata });
    const args = { urn, state, news: { ...configMap({ a: "2" }), metadata }, ignored: [] };
    expect(await compare(fakeSession(), args)).toMatchObject({ deleteBeforeReplace: false });
  });

  it("sees no difference in what the cluster filled in", async () => {
    const live = configMap(
      { a: "1" },
      { metadata: { name: "c", namespace: "n", uid: "u", resourceVersion: "1" } },
    );
    const args = {
      urn,
      state: stateOf(configMap({ a: "1" }), live),
      news: configMap({ a: "1" }),
      ignored: [],
    };
    expect((await compare(fakeSession(), args)).changes.size).toBe(0);
  });

  it("sees rules that the cluster aggregates as changed, as the official provider does", async () => {
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "r" },
      rules: [],
    };
    const token = `${URN}kubernetes:rbac.authorization.k8s.io/v1:ClusterRole::r`;
    const state = stateOf(role, { ...role, rules: null });
    const { changes } = await compare(fakeSession(), {
      urn: token,
      state,
      news: role,
      ignored: [],
    });
    expect([...changes]).toEqual([["rules", "update"]]);
  });
});
