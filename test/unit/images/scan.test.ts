import { describe, expect, it } from "vitest";
import { findImages } from "../../../images/scan.ts";

const pathsAndTexts = (value: unknown, isKnown?: (text: string) => boolean): [string, string][] =>
  findImages(value, isKnown).map((found) => [found.path, found.text]);

describe("findImages", () => {
  it("finds containers, init containers and keys that end in image", () => {
    const pod = {
      spec: {
        initContainers: [{ image: "a/b:1" }],
        containers: [{ image: "nginx" }],
        defaultJobImage: "c/d",
      },
    };
    expect(pathsAndTexts(pod)).toEqual([
      ["spec.initContainers[0].image", "a/b:1"],
      ["spec.containers[0].image", "nginx"],
      ["spec.defaultJobImage", "c/d"],
    ]);
  });

  it("finds arguments, environment values and JSON and YAML in ConfigMaps", () => {
    const objects = {
      args: ["--solver-image=quay.io/jetstack/solver:v1"],
      env: [{ name: "IMAGE", value: "ghcr.io/x/y:1" }],
      data: {
        agent: '{"image": "kserve/agent:v1"}',
        runtime: "containers:\n- image: kserve/lgb:v1\n  name: x\n",
      },
    };
    expect(pathsAndTexts(objects)).toEqual([
      ["args[0]", "quay.io/jetstack/solver:v1"],
      ["env[0].value", "ghcr.io/x/y:1"],
      ["data.agent →.image", "kserve/agent:v1"],
      ["data.runtime →.containers[0].image", "kserve/lgb:v1"],
    ]);
  });

  it("finds registries that chart values and Istio's injector name without an image", () => {
    expect(
      pathsAndTexts({
        global: { hub: "docker.io/istio" },
        image: { repository: "quay.io/jetstack/c" },
      }),
    ).toEqual([
      ["global.hub", "docker.io/istio"],
      ["image.repository", "quay.io/jetstack/c"],
    ]);
  });

  it("takes a bare word for a name below the hub where settings name one, and for an image elsewhere", () => {
    const settings = JSON.stringify({
      global: { hub: "docker.io/istio", proxy: { image: "proxyv2" } },
      image: "pilot",
    });
    expect(pathsAndTexts({ data: { values: settings } })).toEqual([
      ["data.values →.global.hub", "docker.io/istio"],
    ]);
    expect(pathsAndTexts({ data: { values: '{"image": "pilot"}' } })).toEqual([
      ["data.values →.image", "pilot"],
    ]);
  });

  it("recognises short names only when somebody knows them", () => {
    const value = { args: ["--image", "kserve/agent:v1"] };
    expect(pathsAndTexts(value)).toEqual([]);
    expect(pathsAndTexts(value, (text) => text === "kserve/agent:v1")).toEqual([
      ["args[1]", "kserve/agent:v1"],
    ]);
  });

  it("passes over what only looks like an image", () => {
    const value = {
      image: "auto",
      url: "https://ghcr.io/x/y:1",
      address: "istiod.istio-system.svc:15012",
      gateway: "knative-serving/knative-local-gateway",
      apiVersion: "networking.k8s.io/v1",
      description: "for example docker.io/library/nginx:latest",
      template: "image: {{ .Values.hub }}/proxyv2:{{ .Values.tag }}",
    };
    expect(pathsAndTexts(value)).toEqual([]);
  });
});
