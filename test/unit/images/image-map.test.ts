import { describe, expect, it } from "vitest";
import { ImageMap } from "../../../images/image-map.ts";
import type { MirrorLayout } from "../../../images/mirror.ts";

const DIGEST = `sha256:${"b".repeat(64)}`;
const layout: MirrorLayout = {
  host: "harbor.test",
  layout: "project-per-host",
  projects: {},
  exempt: [],
};
const map = new ImageMap(
  [
    "kserve/agent:v0.16.0",
    "kserve/art-explainer:v0.16.0",
    "quay.io/jetstack/cert-manager-acmesolver:v1.20.3",
    `gcr.io/knative-releases/queue:v1.20.2@${DIGEST}`,
  ],
  layout,
);

describe("ImageMap", () => {
  it("knows an image in every spelling of its name", () => {
    const target = "harbor.test/docker.io/kserve/agent:v0.16.0";
    expect(map.target("kserve/agent:v0.16.0")).toBe(target);
    expect(map.target("docker.io/kserve/agent:v0.16.0")).toBe(target);
    expect(map.target("index.docker.io/kserve/agent:v0.16.0")).toBe(target);
    expect(map.target(target)).toBe(target);
  });

  it("pins a tag whose digest it knows", () => {
    expect(map.target("gcr.io/knative-releases/queue:v1.20.2")).toBe(
      `harbor.test/gcr.io/knative-releases/queue:v1.20.2@${DIGEST}`,
    );
  });

  it("leaves other tags and unknown images alone", () => {
    expect(map.target("kserve/agent:v0.15.2")).toBe("kserve/agent:v0.15.2");
    expect(map.target("auto")).toBe("auto");
  });

  it("rewrites arguments, JSON and YAML inside strings", () => {
    expect(
      map.rewriteText(
        "--acme-http01-solver-image=quay.io/jetstack/cert-manager-acmesolver:v1.20.3",
      ),
    ).toBe(
      "--acme-http01-solver-image=harbor.test/quay.io/jetstack/cert-manager-acmesolver:v1.20.3",
    );
    expect(map.rewriteText('{\n  "image" : "kserve/agent:v0.16.0",\n  "memory": "1Gi"\n}')).toBe(
      '{\n  "image" : "harbor.test/docker.io/kserve/agent:v0.16.0",\n  "memory": "1Gi"\n}',
    );
    expect(map.rewriteText("image: kserve/agent:v0.16.0\ncpu: 1\n")).toBe(
      "image: harbor.test/docker.io/kserve/agent:v0.16.0\ncpu: 1\n",
    );
  });

  it("rewrites a repository whose tag stands elsewhere, under an image key only", () => {
    const json = '{"art": {"image": "kserve/art-explainer", "defaultImageVersion": "v0.16.0"}}';
    expect(map.rewriteText(json)).toContain('"harbor.test/docker.io/kserve/art-explainer"');
    expect(
      map.rewriteObject({ image: "kserve/art-explainer", chart: "kserve/art-explainer" }),
    ).toEqual({
      image: "harbor.test/docker.io/kserve/art-explainer",
      chart: "kserve/art-explainer",
    });
  });

  it("leaves addresses, templates and other types as they are", () => {
    const object = {
      url: "https://quay.io/jetstack/cert-manager-acmesolver:v1.20.3",
      n: 1,
      b: true,
      nothing: null,
    };
    expect(map.rewriteObject(object)).toEqual(object);
    expect(map.rewriteText("{{ .Values.hub }}/proxyv2:{{ .Values.tag }}")).toBe(
      "{{ .Values.hub }}/proxyv2:{{ .Values.tag }}",
    );
  });

  it("does nothing at all without a mirror", () => {
    const none = new ImageMap(["kserve/agent:v0.16.0"], undefined);
    expect(none.rewriteObject({ image: "kserve/agent:v0.16.0" })).toEqual({
      image: "kserve/agent:v0.16.0",
    });
  });

  it("does not touch what it gave", () => {
    const object = { spec: { containers: [{ image: "kserve/agent:v0.16.0" }] } };
    map.rewriteObject(object);
    expect(object.spec.containers[0]?.image).toBe("kserve/agent:v0.16.0");
  });
});
