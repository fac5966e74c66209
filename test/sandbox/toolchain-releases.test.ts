import { describe, expect, it } from "vitest";
import { officialRelease } from "../../sandbox/toolchain/releases.ts";
import { IMAGE_PROGRAMS, TOOL_NAMES } from "../../sandbox/toolchain/tools.ts";
import type { Platform } from "../../sandbox/toolchain/releases.ts";
import type { ToolName } from "../../sandbox/toolchain/tools.ts";

const LINUX: Platform = { os: "linux", arch: "x64" };
const MAC: Platform = { os: "darwin", arch: "arm64" };
const GITHUB = "https://github.com";

describe("official downloads", () => {
  const urls: [ToolName, Platform, string | undefined][] = [
    [
      "pulumi",
      LINUX,
      `${GITHUB}/pulumi/pulumi/releases/download/v3.229.0/pulumi-v3.229.0-linux-x64.tar.gz`,
    ],
    [
      "pulumi",
      MAC,
      `${GITHUB}/pulumi/pulumi/releases/download/v3.229.0/pulumi-v3.229.0-darwin-arm64.tar.gz`,
    ],
    ["helm", LINUX, "https://get.helm.sh/helm-v3.19.0-linux-amd64.tar.gz"],
    [
      "etcd",
      LINUX,
      `${GITHUB}/etcd-io/etcd/releases/download/v3.6.5/etcd-v3.6.5-linux-amd64.tar.gz`,
    ],
    ["etcd", MAC, `${GITHUB}/etcd-io/etcd/releases/download/v3.6.5/etcd-v3.6.5-darwin-arm64.zip`],
    ["kube-apiserver", LINUX, "https://dl.k8s.io/v1.34.3/bin/linux/amd64/kube-apiserver"],
    ["kube-apiserver", MAC, undefined],
    ["kwok", LINUX, `${GITHUB}/kubernetes-sigs/kwok/releases/download/v0.7.0/kwok-linux-amd64`],
    [
      "kwokctl",
      MAC,
      `${GITHUB}/kubernetes-sigs/kwok/releases/download/v0.7.0/kwokctl-darwin-arm64`,
    ],
  ];
  it.each(urls)("%s for %o", (name, platform, url) => {
    expect(officialRelease(name, platform)?.url).toBe(url);
  });

  const withoutDownload: readonly ToolName[] = ["pulumi-resource-kubernetes", ...IMAGE_PROGRAMS];
  it.each(withoutDownload)("%s has none here", (name) => {
    expect(officialRelease(name, LINUX)).toBeUndefined();
  });

  const downloaded = TOOL_NAMES.filter((name) => !withoutDownload.includes(name));
  it.each(downloaded)("%s comes over TLS with a checksum that is published apart", (name) => {
    const release = officialRelease(name, LINUX);
    expect(release?.url).toMatch(/^https:/);
    expect(release?.checksumUrl).toMatch(/^https:/);
    expect(release?.checksumUrl).not.toBe(release?.url);
  });

  it.each([
    { os: "win32", arch: "x64" },
    { os: "linux", arch: "s390x" },
  ])("are not offered for %o", (platform) => {
    expect(TOOL_NAMES.map((name) => officialRelease(name, platform))).toEqual(
      TOOL_NAMES.map(() => undefined),
    );
  });
});
