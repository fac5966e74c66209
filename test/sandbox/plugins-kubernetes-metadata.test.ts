import { describe, expect, it } from "vitest";
import { compare } from "../../sandbox/plugins/kubernetes/resource/compare.ts";
import { checkInputs } from "../../sandbox/plugins/kubernetes/resource/check.ts";
import { writeCheckpoint } from "../../sandbox/plugins/kubernetes/resource/state.ts";
import { fakeSession } from "./kubernetes-provider-fakes.ts";
import type { JsonObject } from "../../sandbox/plugins/kubernetes/value.ts";

const CRD = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition";
const CUSTOM = "kubernetes:example.com/v1:Widget";

function objectOf(apiVersion: string, kind: string): JsonObject {
  // As generators of manifests write it; the Gateway API's published CRDs are of this form.
  const metadata = { name: "widgets.example.com", creationTimestamp: null };
  return { apiVersion, kind, metadata, spec: { group: "example.com" } };
}

describe("metadata that only the API server writes", () => {
  it.each([
    [CRD, "apiextensions.k8s.io/v1", "CustomResourceDefinition"],
    [CUSTOM, "example.com/v1", "Widget"],
  ])("is no input and no change: %s", async (token, apiVersion, kind) => {
    const urn = `urn:pulumi:dev::p::${token}::w`;
    const session = fakeSession();
    const news = objectOf(apiVersion, kind);
    const checked = await checkInputs(session, { urn, olds: {}, news, seed: new Uint8Array() });
    expect(checked["metadata"]).toEqual({ name: "widgets.example.com" });
    const created = { uid: "u", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" };
    const live = { ...news, metadata: { name: "widgets.example.com", ...created } };
    // A state from before the rule: its inputs still name what they must not.
    const parts = { inputs: news, live, marked: news, initialApiVersion: apiVersion };
    const state = writeCheckpoint({ ...parts, fieldManager: "pulumi-kubernetes-0" });
    const { changes } = await compare(session, { urn, state, news, ignored: [] });
    expect([...changes]).toEqual([]);
  });
});
