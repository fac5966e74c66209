import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../config/parse.ts";
import { resolve } from "../../../plan/resolve.ts";
import type { Problem } from "../../../problems/problem.ts";
import { catalog, planOf, settingsOf } from "../../support/settings.ts";

const host = "harbor.test:5000";
const CA = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";

const problemsWith = (registry: Record<string, unknown>): readonly Problem[] =>
  resolve(settingsOf({ registry: { host, ...registry } }), catalog).problems;
const codesWith = (registry: Record<string, unknown>): string[] =>
  problemsWith(registry).map(({ code }) => code);
/** Config keys with which a registry is refused. */
const refused = (registry: Record<string, unknown>): (readonly [string, string])[] =>
  parseSettings({ mode: "Serverless", registry: { host, ...registry } }).problems.map(
    ({ code, where }) => [code, where] as const,
  );

describe("the layout of a registry", () => {
  it("moves the images of an exception, and everything else by the layout", () => {
    const images = { "nvcr.io/nvidia/tritonserver": "gpu.test/nvidia/triton" };
    const moved = planOf({ registry: { host, images } }).images;
    const of = (name: string): string | undefined =>
      moved.find((image) => image.name === name)?.image;
    expect(of("kserve-tritonserver")).toMatch(/^gpu\.test\/nvidia\/triton:/);
    expect(of("router")).toMatch(/^harbor\.test:5000\/docker\.io\/kserve\/router:/);
  });

  it.each([
    ["images.nvcr", { images: { "nvcr.io/nvidia/tritonserver": "nvidia/triton" } }],
    ["layout", { layout: "by-host" }],
  ])("refuses what is no layout (%s)", (_name, registry) => {
    expect(refused(registry).map(([code]) => code)).toEqual(["config-value-invalid"]);
  });

  it("asks for the project of single-project, and for no CA where there is no TLS", () => {
    expect(refused({ layout: "single-project" })).toEqual([
      ["config-key-missing", "kserve:registry.project"],
    ]);
    expect(refused({ plainHttp: true, ca: CA })).toEqual([
      ["config-value-invalid", "kserve:registry.ca"],
    ]);
    expect(refused({ layout: "single-project", project: "kserve" })).toEqual([]);
  });

  it.each([
    [
      "images-mirror-collision",
      { images: { "kserve/agent": "h.test/one", "kserve/router": "h.test/one" } },
    ],
    ["images-mirror-split", { images: { "kserve/agent:v0.20.0": "h.test/agent:own" } }],
    [
      "images-proxy-shared",
      { layout: "proxy-cache", projects: { "docker.io": "c", "quay.io": "c" } },
    ],
    ["images-istio-hub", { images: { "docker.io/istio/proxyv2": "h.test/istio/proxyv2" } }],
    ["images-istio-hub", { exempt: ["docker.io/istio/pilot"] }],
  ])("stops with %s", (code, registry) => {
    const problem = problemsWith(registry).find((item) => item.code === code);
    expect(problem?.level).toBe("block");
  });

  it.each([
    [{ images: { "kserve/agent": "h.test/one", "kserve/router": "h.test/two" } }],
    [{ layout: "proxy-cache", projects: { "docker.io": "c", "quay.io": "d" } }],
    [{ projects: { "docker.io": "c", "quay.io": "c" } }],
    [
      {
        images: {
          "docker.io/istio/proxyv2": "h.test/istio/proxyv2",
          "docker.io/istio/pilot": "h.test/istio/pilot",
        },
      },
    ],
    [{ exempt: ["docker.io/istio"] }],
  ])("takes %j", (registry) => {
    expect(problemsWith(registry).filter(({ level }) => level === "block")).toEqual([]);
  });

  it("points at an exception for an image that the stack does not have", () => {
    const unused = { "kserve/agnet": "h.test/agent" };
    const found = problemsWith({ images: { ...unused, "kserve/agent": "h.test/agent2" } });
    expect(found.filter(({ code }) => code === "images-exception-unused")).toMatchObject([
      { level: "warn", found: "kserve/agnet, which is no image of this stack" },
    ]);
  });
});

describe("what the nodes have to be told", () => {
  it.each([
    [true, { ca: CA }],
    [true, { plainHttp: true }],
    [false, {}],
    [false, { ca: CA, nodesPrepared: true }],
    [false, { plainHttp: true, nodesPrepared: true }],
  ])("is said (%s) with %j", (said, registry) => {
    expect(codesWith(registry).includes("registry-node-trust")).toBe(said);
  });
});

describe("certificates for the storage initializer", () => {
  const OLD = { kserve: { version: "0.11.2" }, kubernetes: { version: "1.26" } };
  const codes = (raw: Record<string, unknown>): string[] =>
    resolve(settingsOf(raw), catalog).problems.map(({ code }) => code);
  const old = (storageCa: string): Record<string, unknown> => ({
    ...OLD,
    kserve: { ...OLD.kserve, storageCa },
  });

  it("are refused where the release has no place for them, and only if the stack names some", () => {
    expect(codes(old(CA))).toContain("config-storage-ca-unsupported");
    expect(codes(old("none"))).not.toContain("config-storage-ca-unsupported");
    expect(codes({ kserve: { storageCa: CA } })).not.toContain("config-storage-ca-unsupported");
    expect(codes({ ...OLD, registry: { host, ca: CA } })).not.toContain(
      "config-storage-ca-unsupported",
    );
  });
});
