import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { ChangingSchemas } from "../../components/crds/changing-schemas.ts";
import type { BundleRecord } from "../../components/crds/crd-installer.ts";
import { PlacedObjects } from "../../components/placed-objects.ts";
import { fakeApi } from "../support/fake-api.ts";
import type { FakeAnswers } from "../support/fake-api.ts";

const PLACE = { name: "crds-kserve-crd", namespace: "kserve" };
const PATH = "/api/v1/namespaces/kserve/configmaps/crds-kserve-crd";
const RUNTIME = {
  apiVersion: "serving.kserve.io/v1alpha1",
  kind: "ClusterServingRuntime",
  metadata: { name: "kserve-lgbserver", annotations: { kept: "yes" } },
};

const recordOf = (version: string, ...kinds: string[]): BundleRecord => ({
  from: `kserve-crd ${version}`,
  sha256: version,
  objects: kinds
    .map((kind) => `apiextensions.k8s.io/v1 CustomResourceDefinition ${kind}.serving.kserve.io\n`)
    .join(""),
});
const NEW = recordOf("v0.16.0", "clusterservingruntimes", "inferenceservices");

/** What a preview knows of a cluster that answers as given, once the program's record is made. */
function preview(answers: FakeAnswers): ChangingSchemas {
  const schemas = new ChangingSchemas({ open: () => Promise.resolve(fakeApi(answers)) });
  schemas.expect(PLACE);
  schemas.compare(PLACE, NEW);
  return schemas;
}

describe("ChangingSchemas", () => {
  it("puts an unknown into objects whose definitions this run replaces, and keeps the rest readable", async () => {
    const schemas = preview({ [PATH]: { data: recordOf("v0.15.2", "clusterservingruntimes") } });
    expect(await schemas.spare(RUNTIME)).toEqual({
      ...RUNTIME,
      metadata: {
        name: "kserve-lgbserver",
        annotations: {
          kept: "yes",
          "kserve-platform/previewed-without-schema": pulumi.runtime.unknownValue,
        },
      },
    });
    expect(await schemas.report()).toEqual([
      "previewed without the cluster's schema: 1 object of serving.kserve.io, because definitions change in this run (kserve-crd v0.15.2 → kserve-crd v0.16.0)",
    ]);
  });

  it.each([
    ["the same definitions", RUNTIME, { [PATH]: { data: NEW } }],
    ["no right to see the record", RUNTIME, { [PATH]: { status: 403, body: {} } }],
    ["an empty cluster", RUNTIME, {}],
    ["other definitions", { ...RUNTIME, apiVersion: "cert-manager.io/v1" }, { [PATH]: {} }],
    ["a built-in kind", { apiVersion: "apps/v1", kind: "Deployment" }, { [PATH]: {} }],
  ])("leaves an object alone with %s", async (_case, object, answers) => {
    const schemas = preview(answers);
    expect(await schemas.spare(object)).toBeUndefined();
    expect(await schemas.report()).toEqual([]);
  });

  it("leaves objects alone where no cluster answers", async () => {
    const schemas = new ChangingSchemas({ open: () => Promise.reject(new Error("no kubeconfig")) });
    schemas.expect(PLACE);
    schemas.compare(PLACE, NEW);
    expect(await schemas.spare(RUNTIME)).toBeUndefined();
  });

  it("does not judge by definitions of others that this run takes over", async () => {
    const schemas = preview({ "/apis/serving.kserve.io": { versions: [] } });
    expect(await schemas.spare(RUNTIME)).toBeDefined();
    expect(await schemas.report()).toEqual([expect.stringContaining("(kserve-crd v0.16.0)")]);
  });

  it("says of definitions that no longer come that they stay", async () => {
    const old = recordOf("v0.15.2", "clusterservingruntimes", "localmodelnodes");
    expect(await preview({ [PATH]: { data: old } }).report()).toEqual([
      "kserve-crd v0.16.0 no longer brings localmodelnodes.serving.kserve.io; what is on the cluster stays",
    ]);
  });
});

describe("PlacedObjects", () => {
  const see = (
    placed: PlacedObjects,
    resource: Partial<pulumi.ResourceTransformArgs>,
  ): Promise<pulumi.ResourceTransformResult | undefined> =>
    placed.see({
      custom: true,
      type: "kubernetes:serving.kserve.io/v1alpha1:ClusterServingRuntime",
      name: "runtime",
      props: RUNTIME,
      opts: {},
      ...resource,
    });

  it("knows every custom resource by kind and name, and changes none outside previews", async () => {
    const placed = new PlacedObjects();
    expect(await see(placed, {})).toBeUndefined();
    await see(placed, { custom: false });
    await see(placed, { type: "pulumi:index:Stash" });
    await see(placed, { props: { apiVersion: "v1", kind: "ConfigMap" } });
    expect(placed.objects).toEqual([
      {
        kind: "ClusterServingRuntime",
        group: "serving.kserve.io",
        namespace: "",
        name: "kserve-lgbserver",
      },
    ]);
  });

  it("spares in a preview what the cluster cannot judge, options kept", async () => {
    const placed = new PlacedObjects(preview({ [PATH]: { data: {} } }));
    const opts = { protect: true };
    const result = await see(placed, { opts });
    expect(result?.opts).toBe(opts);
    expect(result?.props).toHaveProperty("metadata.annotations.kept", "yes");
  });
});
