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
  | "kubectl";

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

/** Folder below `modules/`: its go.mod pins everything that is compiled. */
export const MODULES = ["core", "kwok", "registry"] as const;
export type ModuleName = (typeof MODULES)[number];

/** How one tool is recognised and built. */
export interface ToolSpec {
  readonly name: ToolName;
  /** The version that is downloaded or built; the same as in the module's go.mod (a test holds it). */
  readonly version: string;
  /** Versions on PATH that do as well; a semver range. */
  readonly range: string;
  /** Arguments that make it print its version. */
  readonly versionArguments: readonly string[];
  readonly module: ModuleName;
  readonly goPackage: string;
  /** Name that `go build` gives the program: the last element of the package path without a major version. */
  readonly goOutput: string;
  /** Other names under which it may be on PATH. */
  readonly alsoCalled?: readonly string[];
}

const KUBERNETES = "1.34.3";
const KWOK = "0.7.0";

/** Every tool, in the order in which they are shown. */
export const TOOLS: Readonly<Record<ToolName, ToolSpec>> = {
  pulumi: {
    name: "pulumi",
    version: "3.259.0",
    range: ">=3.259.0 <4",
    versionArguments: ["version"],
    module: "core",
    goPackage: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    goOutput: "pulumi",
  },
  helm: {
    name: "helm",
    version: "3.19.0",
    range: ">=3.19.0 <4",
    versionArguments: ["version", "--template", "{{.Version}}"],
    module: "core",
    goPackage: "helm.sh/helm/v3/cmd/helm",
    goOutput: "helm",
  },
  etcd: {
    name: "etcd",
    version: "3.6.5",
    range: ">=3.6.0 <4",
    versionArguments: ["--version"],
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
    range: ">=2.8.2 <4",
    versionArguments: ["--version"],
    module: "registry",
    goPackage: "github.com/distribution/distribution/v3/cmd/registry",
    goOutput: "registry",
    // Debian's name of the same program.
    alsoCalled: ["docker-registry"],
  },
  kubectl: {
    ...kubernetesSpec("kubectl"),
    // kubectl keeps to servers one minor older or newer (kubernetes/website, version skew policy).
    range: ">=1.33.0 <1.36.0",
    versionArguments: ["version", "--client"],
  },
};

/** The tools' names, in the order of {@link TOOLS}. */
export const TOOL_NAMES = Object.keys(TOOLS) as readonly ToolName[];

/** Tools that every sandbox needs. The registry is for those that install from one and for tests, kubectl for the benchmark. */
export type ClusterToolName = Exclude<ToolName, "registry" | "kubectl">;
export const CLUSTER_TOOLS = TOOL_NAMES.filter(
  (name): name is ClusterToolName => name !== "registry" && name !== "kubectl",
);

/** The first version number in what a program prints about itself, without the leading v. */
export function parseVersion(output: string): string | undefined {
  return /(?<![\d.])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/.exec(output)?.[1];
}

/** Control plane parts must be one version, since they are one release. */
function kubernetesSpec(name: ToolName): ToolSpec {
  return {
    name,
    version: KUBERNETES,
    range: KUBERNETES,
    versionArguments: ["--version"],
    module: "core",
    goPackage: `k8s.io/kubernetes/cmd/${name}`,
    goOutput: name,
  };
}

function kwokSpec(name: ToolName): ToolSpec {
  return {
    name,
    version: KWOK,
    range: ">=0.7.0 <1",
    versionArguments: ["--version"],
    module: "kwok",
    goPackage: `sigs.k8s.io/kwok/cmd/${name}`,
    goOutput: name,
  };
}
