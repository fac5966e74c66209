import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Provider } from "@pulumi/kubernetes/provider.js";
import type * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import type { Providers } from "../../components/layer.ts";
import {
  combine,
  comeAfter,
  deleteInBackground,
  dropAggregatedRules,
  dropOrder,
  forceUpdates,
  mirrorImages,
  skipAwait,
} from "../../components/transforms.ts";
import type { ObjectTransform, RenderedObject } from "../../components/transforms.ts";
import { ImageMap } from "../../images/image-map.ts";
import { ClusterConnection } from "../../components/cluster-connection.ts";
import { settle, startRecording } from "../support/pulumi-mocks.ts";

const CRD = { kind: "CustomResourceDefinition", metadata: { name: "a.example.org" } };
let providers: Providers;
let certificate: CustomResource;

beforeAll(async () => {
  await startRecording();
  providers = { cluster: new Provider("cluster"), connection: new ClusterConnection({}) };
  const object = { apiVersion: "cert-manager.io/v1", kind: "Certificate" };
  certificate = new CustomResource("certificate", object, { provider: providers.cluster });
  await settle();
});

/** The transform of the SDK's `transforms` option, on a resource as the engine shows it. */
async function run(
  transforms: readonly ObjectTransform[],
  props: RenderedObject,
  resource: { custom?: boolean; type?: string; opts?: pulumi.CustomResourceOptions } = {},
): Promise<pulumi.ResourceTransformResult | undefined> {
  return await combine(transforms)({
    custom: resource.custom ?? true,
    type: resource.type ?? "kubernetes:core/v1:Thing",
    name: "thing",
    props,
    opts: resource.opts ?? {},
  });
}

const annotationsOf = (result: { object: RenderedObject } | undefined): unknown =>
  result?.object.metadata?.annotations;

describe("mirrorImages", () => {
  it("moves known images, in containers and inside texts, and no others", () => {
    const map = new ImageMap(["quay.io/a/b:v1"], {
      host: "h.test",
      layout: "project-per-host",
      projects: {},
      exempt: [],
    });
    const object = {
      kind: "Deployment",
      spec: { image: "quay.io/a/b:v1", args: ["--image=quay.io/a/b:v1"], other: "quay.io/x/y:v1" },
    };
    expect(mirrorImages(map)(object, {})?.object["spec"]).toEqual({
      image: "h.test/quay.io/a/b:v1",
      args: ["--image=h.test/quay.io/a/b:v1"],
      other: "quay.io/x/y:v1",
    });
  });
});

describe("dropOrder", () => {
  const ORDER = { "config.kubernetes.io/depends-on": "/Namespace/a" };

  it("takes the order inside a chart away, and nothing else", () => {
    const metadata = { name: "a", annotations: { ...ORDER, x: "y" } };
    expect(dropOrder({ kind: "Deployment", metadata }, {})?.object).toEqual({
      kind: "Deployment",
      metadata: { name: "a", annotations: { x: "y" } },
    });
  });

  it("leaves no annotations where there were none before", () => {
    const metadata = { name: "a", annotations: ORDER };
    expect(dropOrder({ kind: "Deployment", metadata }, {})?.object).toEqual({
      kind: "Deployment",
      metadata: { name: "a" },
    });
    expect(dropOrder({ kind: "Deployment", metadata: { name: "a" } }, {})).toBeUndefined();
    expect(dropOrder({ kind: "Deployment" }, {})).toBeUndefined();
  });
});

describe("dropAggregatedRules", () => {
  it("leaves the rules of an aggregated ClusterRole to the cluster", () => {
    const role = { kind: "ClusterRole", aggregationRule: {}, rules: [], metadata: { name: "r" } };
    expect(dropAggregatedRules(role, {})?.object).toEqual({
      kind: "ClusterRole",
      aggregationRule: {},
      metadata: { name: "r" },
    });
  });

  it("keeps the rules of every other role", () => {
    expect(dropAggregatedRules({ kind: "ClusterRole", rules: [{}] }, {})).toBeUndefined();
    expect(
      dropAggregatedRules({ kind: "Role", aggregationRule: {}, rules: [] }, {}),
    ).toBeUndefined();
  });
});

describe("skipAwait", () => {
  it.each(["Service", "Deployment", "DaemonSet", "StatefulSet"])(
    "keeps %s from the provider",
    (kind) => {
      expect(annotationsOf(skipAwait({ kind }, {}))).toEqual({ "pulumi.com/skipAwait": "true" });
    },
  );

  it("leaves other kinds alone", () => {
    expect(skipAwait({ kind: "Job" }, {})).toBeUndefined();
  });
});

describe("deleteInBackground", () => {
  it.each(["serving.kserve.io/v1alpha1", "cert-manager.io/v1", "gateway.networking.k8s.io/v1"])(
    "does not wait for what an object of %s owns",
    (apiVersion) => {
      expect(annotationsOf(deleteInBackground({ apiVersion, kind: "X" }, {}))).toEqual({
        "pulumi.com/deletionPropagationPolicy": "background",
      });
    },
  );

  it.each(["v1", "apps/v1", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1"])(
    "leaves objects of %s alone",
    (apiVersion) => {
      expect(deleteInBackground({ apiVersion, kind: "X" }, {})).toBeUndefined();
    },
  );
});

describe("forceUpdates", () => {
  it("marks objects of the kind, and leaves other kinds alone", () => {
    const transform = forceUpdates("ValidatingWebhookConfiguration");
    expect(annotationsOf(transform({ kind: "ValidatingWebhookConfiguration" }, {}))).toEqual({
      "pulumi.com/patchForce": "true",
    });
    expect(transform({ kind: "MutatingWebhookConfiguration" }, {})).toBeUndefined();
  });
});

describe("combine", () => {
  const mark =
    (key: string): ObjectTransform =>
    (object) => ({ object: { ...object, [key]: true } });

  it("applies all in order, each on what the one before made", async () => {
    const order: ObjectTransform = (object) => ({ object: { ...object, seen: object["first"] } });
    const result = await run([mark("first"), order], { kind: "A" });
    expect(result?.props).toEqual({ kind: "A", first: true, seen: true });
  });

  it("keeps options that an earlier transform set", async () => {
    const keep: ObjectTransform = (object, options) => ({
      object,
      options: { ...options, retainOnDelete: true },
    });
    const opts = { provider: providers.cluster };
    const result = await run([keep, mark("later")], CRD, { opts });
    expect(result?.opts).toMatchObject({ retainOnDelete: true, provider: providers.cluster });
    expect(result?.props["later"]).toBe(true);
  });

  it("leaves components and resources of other providers alone", async () => {
    const chart = { custom: false, type: "kubernetes:helm.sh/v4:Chart" };
    expect(await run([mark("touched")], { kind: "A" }, chart)).toBeUndefined();
    expect(await run([mark("touched")], {}, { type: "random:index:RandomId" })).toBeUndefined();
  });

  it("passes an object on that no transform wants to change", async () => {
    const opts = { protect: true };
    const object = { kind: "ConfigMap", data: { a: "b" } };
    expect(await run([skipAwait, dropAggregatedRules], object, { opts })).toEqual({
      props: object,
      opts,
    });
  });
});

describe("comeAfter", () => {
  it("adds to what the objects wait for already", async () => {
    const opts = { dependsOn: [providers.cluster] };
    const result = await run([comeAfter([certificate])], { kind: "Pod" }, { opts });
    expect(result?.opts).toEqual({ dependsOn: [providers.cluster, certificate] });
    const alone = await run([comeAfter([certificate])], { kind: "Pod" });
    expect(alone?.opts).toEqual({ dependsOn: [certificate] });
  });
});
