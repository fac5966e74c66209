import { describe, expect, it } from "vitest";
import { findGaps } from "../../../images/completeness.ts";
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
