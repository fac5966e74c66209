import { TOOLS } from "./tools.ts";
import type { ToolName } from "./tools.ts";

/** Operating system and processor in Node's words (`process.platform`, `process.arch`). */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** How the published checksum of a file is read. */
export type ChecksumForm =
  /** `<digest>` or lines of `<digest>  <file name>`. */
  | "sums"
  /** GitHub's description of a release: `assets[].digest` is `sha256:<digest>`. */
  | "github-release";

/** One official download. */
export interface Release {
  readonly url: string;
  /** File name as the checksum lists it. */
  readonly file: string;
  readonly checksumUrl: string;
  readonly checksumForm: ChecksumForm;
  /** `none`: the file is the program. */
  readonly archive: "none" | "tgz" | "zip";
  /** Folder inside the archive whose content is kept; the program is in it. */
  readonly folder: string;
}

interface GoPlatform {
  readonly os: "linux" | "darwin";
  readonly arch: "amd64" | "arm64";
}

const GO_ARCH: Readonly<Record<string, GoPlatform["arch"]>> = { x64: "amd64", arm64: "arm64" };

/**
 * The official download of a tool for a platform; nothing where none is published, such as a control plane for
 * macOS (dl.k8s.io has servers for Linux only).
 */
export function officialRelease(name: ToolName, platform: Platform): Release | undefined {
  const arch = GO_ARCH[platform.arch];
  if (arch === undefined || (platform.os !== "linux" && platform.os !== "darwin")) return undefined;
  return RELEASES[name]?.(TOOLS[name].version, { os: platform.os, arch });
}

type ReleaseOf = (version: string, platform: GoPlatform) => Release | undefined;

/**
 * Plugins come through `pulumi plugin install`. Programs of images have no downloads here: where such downloads can be
 * reached, so can the images themselves.
 */
const RELEASES: Readonly<Partial<Record<ToolName, ReleaseOf>>> = {
  pulumi: pulumiRelease,
  helm: helmRelease,
  etcd: etcdRelease,
  "kube-apiserver": kubernetesRelease("kube-apiserver"),
  "kube-controller-manager": kubernetesRelease("kube-controller-manager"),
  "kube-scheduler": kubernetesRelease("kube-scheduler"),
  kwok: kwokRelease("kwok"),
  kwokctl: kwokRelease("kwokctl"),
  registry: registryRelease,
  kubectl: kubernetesRelease("kubectl"),
  kubelet: kubernetesRelease("kubelet"),
  "kube-proxy": kubernetesRelease("kube-proxy"),
};

/** The archive also holds the language hosts, which the CLI finds next to itself: the whole folder is kept. */
function pulumiRelease(version: string, { os, arch }: GoPlatform): Release {
  const base = `https://github.com/pulumi/pulumi/releases/download/v${version}`;
  const file = `pulumi-v${version}-${os}-${arch === "amd64" ? "x64" : "arm64"}.tar.gz`;
  return {
    url: `${base}/${file}`,
    file,
    checksumUrl: `${base}/pulumi-${version}-checksums.txt`,
    checksumForm: "sums",
    archive: "tgz",
    folder: "pulumi",
  };
}

function helmRelease(version: string, { os, arch }: GoPlatform): Release {
  const file = `helm-v${version}-${os}-${arch}.tar.gz`;
  const url = `https://get.helm.sh/${file}`;
  return {
    url,
    file,
    checksumUrl: `${url}.sha256sum`,
    checksumForm: "sums",
    archive: "tgz",
    folder: `${os}-${arch}`,
  };
}

function etcdRelease(version: string, { os, arch }: GoPlatform): Release {
  const base = `https://github.com/etcd-io/etcd/releases/download/v${version}`;
  const folder = `etcd-v${version}-${os}-${arch}`;
  const archive = os === "linux" ? "tgz" : "zip";
  const file = `${folder}.${archive === "tgz" ? "tar.gz" : "zip"}`;
  return {
    url: `${base}/${file}`,
    file,
    checksumUrl: `${base}/SHA256SUMS`,
    checksumForm: "sums",
    archive,
    folder,
  };
}

function kubernetesRelease(name: ToolName): ReleaseOf {
  return (version, { os, arch }) => {
    if (os !== "linux") return undefined;
    const url = `https://dl.k8s.io/v${version}/bin/${os}/${arch}/${name}`;
    return {
      url,
      file: name,
      checksumUrl: `${url}.sha256`,
      checksumForm: "sums",
      archive: "none",
      folder: "",
    };
  };
}

/** KWOK publishes no checksum file; GitHub itself states the digest of each asset. */
function kwokRelease(name: ToolName): ReleaseOf {
  return (version, { os, arch }) => {
    const file = `${name}-${os}-${arch}`;
    return {
      url: `https://github.com/kubernetes-sigs/kwok/releases/download/v${version}/${file}`,
      file,
      checksumUrl: `https://api.github.com/repos/kubernetes-sigs/kwok/releases/tags/v${version}`,
      checksumForm: "github-release",
      archive: "none",
      folder: "",
    };
  };
}

/** The archive holds the program and its papers, without a folder. */
function registryRelease(version: string, { os, arch }: GoPlatform): Release {
  const file = `registry_${version}_${os}_${arch}.tar.gz`;
  const url = `https://github.com/distribution/distribution/releases/download/v${version}/${file}`;
  return {
    url,
    file,
    checksumUrl: `${url}.sha256`,
    checksumForm: "sums",
    archive: "tgz",
    folder: ".",
  };
}
