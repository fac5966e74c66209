import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonical,
  formatReference,
  isRegistryHost,
  parseReference,
} from "../../../images/reference.ts";
import { references } from "../../support/arbitraries.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("parseReference", () => {
  it.each([
    ["nginx", { host: "docker.io", repository: "library/nginx" }],
    ["nginx:1.27", { host: "docker.io", repository: "library/nginx", tag: "1.27" }],
    ["kserve/agent:v0.16.0", { host: "docker.io", repository: "kserve/agent", tag: "v0.16.0" }],
    [
      "docker.io/istio/pilot:1.28.10",
      { host: "docker.io", repository: "istio/pilot", tag: "1.28.10" },
    ],
    ["10.61.3.31:35000/a/b:1", { host: "10.61.3.31:35000", repository: "a/b", tag: "1" }],
    ["localhost/a", { host: "localhost", repository: "a" }],
    [`ghcr.io/x/y:1@${DIGEST}`, { host: "ghcr.io", repository: "x/y", tag: "1", digest: DIGEST }],
    ["[::1]:5000/a/b", { host: "[::1]:5000", repository: "a/b" }],
  ])("reads %s", (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    "",
    "UPPER/case",
    "a/b:",
    "a/b@sha256:12",
    "https://ghcr.io/x/y",
    "a//b",
    "/a",
    "a b",
    "-a/b",
    "a/b:-x",
  ])("refuses %j", (text) => {
    expect(parseReference(text)).toBeUndefined();
  });

  it("reads back every reference that it writes", () => {
    fc.assert(
      fc.property(references, (reference) => {
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  it("never throws, and writes a form that it reads the same way", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const full = canonical(text);
        expect(full === undefined ? undefined : canonical(full)).toBe(full);
      }),
    );
  });
});

describe("isRegistryHost", () => {
  it.each(["harbor.local", "10.61.3.31:35000", "localhost:5000", "[::1]:443"])(
    "takes %s",
    (text) => {
      expect(isRegistryHost(text)).toBe(true);
    },
  );

  it.each([
    "",
    "http://harbor",
    "harbor/project",
    "harbor:",
    "harbor:0",
    "harbor:65536",
    "a b",
    "host:port",
  ])("refuses %j", (text) => {
    expect(isRegistryHost(text)).toBe(false);
  });
});
