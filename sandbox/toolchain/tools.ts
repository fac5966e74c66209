import { join } from "node:path";

/** The programs that the sandbox, its tests and the benchmark run. */
export type ToolName =
  | "pulumi"
  | "helm"
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kwok"
  | "kwokctl"
  | "registry"
  | "kubectl"
  | "pulumi-resource-kubernetes"
  | NodeToolName
  | ImageProgramName;

/** What a real node runs, besides containerd and what comes with it. */
export const NODE_TOOLS = ["kubelet", "kube-proxy"] as const;
export type NodeToolName = (typeof NODE_TOOLS)[number];

/** What runs in the images that the sandbox builds where no registry of images can be reached. */
export const IMAGE_PROGRAMS = [
  "pause",
  "coredns",
  "cert-manager",
  "kserve-controller",
  "kube-rbac-proxy",
  "envoy-gateway",
] as const;
export type ImageProgramName = (typeof IMAGE_PROGRAMS)[number];

/** A program that is there and can be run. */
export interface Tool {
  readonly name: ToolName;
  readonly version: string;
  /** Absolute. */
  readonly path: string;
  /** How it came here this time: a cached tool was once downloaded or built. */
  readonly origin: "path" | "cache" | "download" | "go-build";
}

/** One step of getting the tools, for a progress line. `total` is 0 while it is not known. */
export interface ToolProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly detail: string;
}

/** Folders with the go.mod files that pin what is built. */
export const MODULES_FOLDER = join(import.meta.dirname, "modules");

/** Folder below `modules/`: its go.mod pins everything that is compiled. */
export const MODULES = ["core", "kwok", "registry", "pods", "rbac-proxy"] as const;
export type ModuleName = (typeof MODULES)[number];

/** How one tool is recognised and built. */
export interface ToolSpec {
  readonly name: ToolName;
  /** The version that is downloaded or built; the same as in the module's go.mod (a test holds it). */
  readonly version: string;
  /** How it is recognised on PATH; absent: it is not looked for there. */
  readonly onPath?: PathSpec;
  readonly module: ModuleName;
  /** Import path; one that begins with `./` is a `main` of ours in the module's folder. */
  readonly goPackage: string;
  /** Go module whose version it has, where that is not the one that `goPackage` lies in. */
  readonly goModule?: string;
  /** Name that `go build` gives the program: the last element of the package path without a major version. */
  readonly goOutput: string;
}

/** How a program on PATH is recognised. */
export interface PathSpec {
  /** Versions that do as well; a semver range. */
  readonly range: string;
  /** Arguments that make it print its version. */
  readonly versionArguments: readonly string[];
  /** Other names that it may have. */
  readonly alsoCalled?: readonly string[];
}

const KUBERNETES = "1.34.3";
const KWOK = "0.7.0";
/** The newest release that the Kubernetes provider's module compiles with (sandbox/toolchain/README.md). */
const PULUMI = "3.229.0";

/** Every tool, in the order in which they are shown. */
export const TOOLS: Readonly<Record<ToolName, ToolSpec>> = {
  pulumi: {
    name: "pulumi",
    version: PULUMI,
    onPath: { range: `>=${PULUMI} <4`, versionArguments: ["version"] },
    module: "core",
    goPackage: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    goOutput: "pulumi",
  },
  helm: {
    name: "helm",
    version: "3.19.0",
    onPath: {
      range: ">=3.19.0 <4",
      versionArguments: ["version", "--template", "{{.Version}}"],
    },
    module: "core",
    goPackage: "helm.sh/helm/v3/cmd/helm",
    goOutput: "helm",
  },
  etcd: {
    name: "etcd",
    version: "3.6.5",
    onPath: { range: ">=3.6.0 <4", versionArguments: ["--version"] },
    module: "core",
    goPackage: "go.etcd.io/etcd/server/v3",
    goOutput: "server",
  },
  "kube-apiserver": kubernetesSpec("kube-apiserver"),
  "kube-controller-manager": kubernetesSpec("kube-controller-manager"),
  "kube-scheduler": kubernetesSpec("kube-scheduler"),
  kwok: kwokSpec("kwok"),
  kwokctl: kwokSpec("kwokctl"),
  registry: {
    name: "registry",
    version: "3.1.0",
    // Debian's package has another name for the same program.
    onPath: {
      range: ">=2.8.2 <4",
      versionArguments: ["--version"],
      alsoCalled: ["docker-registry"],
    },
    module: "registry",
    goPackage: "github.com/distribution/distribution/v3/cmd/registry",
    goOutput: "registry",
  },
  kubectl: {
    ...kubernetesSpec("kubectl"),
    // kubectl keeps to servers one minor older or newer (kubernetes/website, version skew policy).
    onPath: { range: ">=1.33.0 <1.36.0", versionArguments: ["version", "--client"] },
  },
  // Official plugins on PATH are found where all plugins are (plugins/select.ts).
  "pulumi-resource-kubernetes": {
    name: "pulumi-resource-kubernetes",
    version: "4.0.0-20260115033456-f47bc2d6f199",
    module: "core",
    goPackage: "./pulumi-resource-kubernetes",
    goModule: "github.com/pulumi/pulumi-kubernetes/provider/v4",
    goOutput: "pulumi-resource-kubernetes",
  },
  kubelet: kubernetesSpec("kubelet"),
  "kube-proxy": kubernetesSpec("kube-proxy"),
  pause: {
    name: "pause",
    // As old as what it does: it waits, and collects what has ended.
    version: "1.0.0",
    module: "pods",
    goPackage: "./pause",
    goOutput: "pause",
  },
  coredns: {
    name: "coredns",
    version: "1.13.1",
    module: "core",
    goPackage: "./coredns",
    goModule: "github.com/coredns/coredns",
    goOutput: "coredns",
  },
  "cert-manager": {
    name: "cert-manager",
    version: "1.21.1",
    module: "pods",
    goPackage: "./cert-manager",
    goModule: "github.com/cert-manager/cert-manager",
    goOutput: "cert-manager",
  },
  "kserve-controller": {
    name: "kserve-controller",
    version: "0.20.0",
    module: "core",
    goPackage: "github.com/kserve/kserve/cmd/manager",
    goOutput: "manager",
  },
  "kube-rbac-proxy": {
    name: "kube-rbac-proxy",
    version: "0.18.0",
    module: "rbac-proxy",
    goPackage: "github.com/brancz/kube-rbac-proxy/cmd/kube-rbac-proxy",
    goOutput: "kube-rbac-proxy",
  },
  "envoy-gateway": {
    name: "envoy-gateway",
    version: "1.8.3",
    module: "pods",
    goPackage: "github.com/envoyproxy/gateway/cmd/envoy-gateway",
    goOutput: "envoy-gateway",
  },
};

/** The tools' names, in the order of {@link TOOLS}. */
export const TOOL_NAMES = Object.keys(TOOLS) as readonly ToolName[];

/** Tools that every sandbox needs. The registry is for those that install from one, kubectl for the benchmark. */
export const CLUSTER_TOOLS = [
  "pulumi",
  "helm",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
  "kwokctl",
] as const satisfies readonly ToolName[];
export type ClusterToolName = (typeof CLUSTER_TOOLS)[number];

/** The first version number in what a program prints about itself, without the leading v. */
export function parseVersion(output: string): string | undefined {
  return /(?<![\d.])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/.exec(output)?.[1];
}

/** Control plane parts must be one version, since they are one release. */
function kubernetesSpec(name: ToolName): ToolSpec {
  return {
    name,
    version: KUBERNETES,
    onPath: { range: KUBERNETES, versionArguments: ["--version"] },
    module: "core",
    goPackage: `k8s.io/kubernetes/cmd/${name}`,
    goOutput: name,
  };
}

function kwokSpec(name: ToolName): ToolSpec {
  return {
    name,
    version: KWOK,
    onPath: { range: ">=0.7.0 <1", versionArguments: ["--version"] },
    module: "kwok",
    goPackage: `sigs.k8s.io/kwok/cmd/${name}`,
    goOutput: name,
  };
}
