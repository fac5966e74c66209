import { describe, expect, it } from "vitest";
import { findGaps, findUnmirrored } from "../../../images/completeness.ts";
import type { RenderedChart } from "../../../images/completeness.ts";
import { renderedImages } from "../../../images/rendered.ts";
import type { CatalogImage } from "../../../versions/schema.ts";

const DIGEST = `sha256:${"c".repeat(64)}`;

function image(reference: string, more: Partial<CatalogImage> = {}): CatalogImage {
  return { name: reference, image: reference, usedBy: "somewhere", source: "a/b@c:d", ...more };
}

function chart(role: string, ...images: string[]): RenderedChart {
  const containers = images.map((text) => ({ image: text }));
  const object = { kind: "Pod", metadata: { name: "p" }, spec: { containers } };
  return { role, name: `chart-${role}`, objects: [object] };
}

const namesIn = (object: unknown): string[] => renderedImages(object).map((found) => found.image);

describe("renderedImages", () => {
  it("joins hub, word and tag as istiod does", () => {
    const values = {
      global: { hub: "docker.io/istio", tag: "1.28.10", proxy: { image: "proxyv2" } },
    };
    expect(namesIn({ data: { values: JSON.stringify(values) } })).toEqual([
      "docker.io/istio/proxyv2:1.28.10",
    ]);
  });

  it("joins an image and the version beside it", () => {
    const art = { image: "kserve/art-explainer", defaultImageVersion: "v0.16.0" };
    expect(namesIn({ data: { explainers: JSON.stringify({ art }) } })).toEqual([
      "docker.io/kserve/art-explainer:v0.16.0",
    ]);
  });

  it("joins name and tag of ModelMesh's settings", () => {
    const text = "modelMeshImage:\n  name: kserve/modelmesh\n  tag: v0.12.0\n";
    expect(namesIn({ data: { "config-defaults.yaml": text } })).toEqual([
      "docker.io/kserve/modelmesh:v0.12.0",
    ]);
  });

  it("reads Go templates line by line and leaves auto and placeholders alone", () => {
    const config =
      '{{- if .x }}\n      image: busybox:1.28\n      image: "{{ .ProxyImage }}"\n  - image: auto\n{{- end }}\n';
    expect(namesIn({ data: { config } })).toEqual(["docker.io/library/busybox:1.28"]);
  });

  it("knows short names in arguments by their version", () => {
    expect(
      namesIn({ args: ["--image=kserve/agent:v1.2.3", "knative-serving/gateway", "a/b:port"] }),
    ).toEqual(["docker.io/kserve/agent:v1.2.3"]);
  });

  it("takes documentation for documentation", () => {
    expect(
      namesIn({ data: { _example: 'agent: |-\n  {\n "image" : "kserve/agent:latest"\n }' } }),
    ).toEqual([]);
  });
});

describe("findGaps", () => {
  it("finds nothing where both agree, pinned or not", () => {
    const images = [image("a/b:1", { chart: "x", digest: DIGEST }), image("a/computed:1")];
    expect(findGaps(images, [chart("x", "a/b:1")])).toEqual([]);
    expect(findGaps(images, [chart("x", `docker.io/a/b@${DIGEST}`)])).toEqual([]);
  });

  it("reports what only the chart names, with its place", () => {
    expect(findGaps([], [chart("x", "a/b:1")])).toEqual([
      {
        kind: "unknown",
        chart: "chart-x",
        image: "docker.io/a/b:1",
        at: "Pod/p spec.containers[0].image",
      },
    ]);
  });

  it("reports another tag in both directions", () => {
    const kinds = findGaps([image("a/b:2", { chart: "x" })], [chart("x", "a/b:1")]);
    expect(kinds.map(({ kind }) => kind)).toEqual(["unknown", "unused"]);
  });

  it("does not judge charts that are not at hand", () => {
    expect(findGaps([image("a/b:1", { chart: "y" })], [chart("x")])).toEqual([]);
  });
});

describe("findUnmirrored", () => {
  const images = [image("kserve/modelmesh:v1"), image("a/b:1")];
  const settings = (text: string): RenderedChart => ({
    role: "x",
    name: "x",
    objects: [{ kind: "ConfigMap", metadata: { name: "c" }, data: { settings: text } }],
  });

  it("finds nothing where the rewrite reaches every form", () => {
    const text = "modelMeshImage:\n  name: kserve/modelmesh\n  tag: v1\nother: a/b:1\n";
    expect(findUnmirrored(images, [chart("x", "a/b:1"), settings(text)])).toEqual([]);
  });

  it("leaves what is joined from a hub to the hub", () => {
    const values = { global: { hub: "docker.io/istio", tag: "1", image: "proxyv2" } };
    expect(findUnmirrored(images, [settings(JSON.stringify(values))])).toEqual([]);
  });

  it("reports a form that it does not reach", () => {
    const odd = settings("modelMeshImage:\n  tag: v1\n  name: kserve/modelmesh\n");
    expect(findUnmirrored(images, [odd])).toMatchObject([
      { kind: "unmirrored", image: "docker.io/kserve/modelmesh:v1" },
    ]);
  });
});
