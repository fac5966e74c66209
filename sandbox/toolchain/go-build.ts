import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { countModules, isGoNewEnough, parseGoLine, requiredGo } from "./go-output.ts";
import { findExecutable } from "./on-path.ts";
import { run } from "./run.ts";
import { sandboxError } from "./sandbox-error.ts";
import { newWorkFolder, storeFolder } from "./store.ts";
import { MODULES, MODULES_FOLDER, TOOLS } from "./tools.ts";
import type { ToolStore } from "./store.ts";
import type { ModuleName, ToolName, ToolProgress } from "./tools.ts";

const TAGS = "osusergo,grpcnotrace";
/**
 * Nobody debugs these programs, and leaving out what a debugger needs saves a tenth of the compile time. Pulumi's Go SDK
 * for Kubernetes, 700 packages of plain types, is not optimised either: that halves its share (the last match counts).
 */
const COMPILER_FLAGS = [
  "-gcflags=all=-dwarf=false",
  "-gcflags=github.com/pulumi/pulumi-kubernetes/sdk/v4/...=-N -l -dwarf=false",
];

/** What building needs from outside. */
export interface BuildOptions {
  readonly report: (progress: ToolProgress) => void;
  readonly signal?: AbortSignal | undefined;
  /** Where go is looked for, a PATH value. */
  readonly path: string;
}

interface ModuleBuild {
  readonly module: ModuleName;
  readonly folder: string;
  readonly names: readonly ToolName[];
  readonly packages: readonly string[];
  readonly go: string;
  readonly options: BuildOptions;
}

/**
 * Compiles tools from their published Go modules, at the versions that the committed go.mod and go.sum pin. One
 * `go build` for all tools of a module, because they share most of their packages.
 */
export async function buildTools(
  store: ToolStore,
  names: readonly ToolName[],
  options: BuildOptions,
): Promise<void> {
  for (const module of MODULES) {
    const wanted = names.filter((name) => TOOLS[name].module === module);
    if (wanted.length === 0) continue;
    const folder = join(MODULES_FOLDER, module);
    const go = await checkedGo(folder, wanted, options);
    const packages = wanted.map((name) => TOOLS[name].goPackage);
    await buildModule(store, { module, folder, names: wanted, packages, go, options });
  }
}

async function buildModule(store: ToolStore, build: ModuleBuild): Promise<void> {
  const total = await downloadModules(build);
  const work = await newWorkFolder(store);
  await compile(build, work, total);
  for (const name of build.names) {
    const folder = join(work, `store-${name}`);
    await mkdir(folder);
    await rename(join(work, TOOLS[name].goOutput), join(folder, name));
    await storeFolder(store, name, folder);
  }
}

/** Resolves the packages to compile, which downloads what is missing; gives their number. */
async function downloadModules(build: ModuleBuild): Promise<number> {
  const total = countModules(await readFile(join(build.folder, "go.sum"), "utf8"));
  const phase = `download Go modules (${build.module})`;
  let done = 0;
  build.options.report({ phase, done, total, detail: "reading the module graph" });
  const args = ["list", "-mod=readonly", "-tags", TAGS, "-deps", ...build.packages];
  const result = await runGo(build, args, (line) => {
    const found = parseGoLine(line);
    if (found.kind !== "downloading") return;
    done += 1;
    build.options.report({ phase, done, total, detail: `${found.module} ${found.version}` });
  });
  if (result.code !== 0) throw buildError(build, "download", result.errorTail);
  return result.stdout.split("\n").filter((line) => line !== "").length;
}

async function compile(build: ModuleBuild, output: string, total: number): Promise<void> {
  const phase = `compile ${build.names.join(", ")}`;
  let done = 0;
  build.options.report({ phase, done, total, detail: "checking what is already compiled" });
  const args = ["build", "-v", "-mod=readonly", "-buildvcs=false", "-trimpath"];
  args.push(...COMPILER_FLAGS);
  args.push("-tags", TAGS, "-ldflags", linkerFlags(), "-o", `${output}/`, ...build.packages);
  const result = await runGo(build, args, (line) => {
    const found = parseGoLine(line);
    if (found.kind !== "package") return;
    done = Math.min(done + 1, total);
    build.options.report({ phase, done, total, detail: found.path });
  });
  if (result.code !== 0) throw buildError(build, "compile", result.errorTail);
  build.options.report({ phase, done: total, total, detail: "done" });
}

function runGo(build: ModuleBuild, args: readonly string[], onErrorLine: (line: string) => void) {
  return run(build.go, args, {
    cwd: build.folder,
    env: goEnvironment(),
    signal: build.options.signal,
    onErrorLine,
  });
}

/** A workspace or flags of the user's own would change what is built. */
export function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "" };
}

/**
 * The programs learn their versions from the linker; without it a control plane calls itself v0.0.0 and helm takes
 * every cluster for Kubernetes 1.20 (helm.sh/helm/v3@v3.19.0:pkg/chartutil/capabilities.go).
 */
function linkerFlags(): string {
  const kubernetes = TOOLS["kube-apiserver"].version;
  const [major = "", minor = ""] = kubernetes.split(".");
  const variables = {
    "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": `v${TOOLS.pulumi.version}`,
    "helm.sh/helm/v3/internal/version.version": `v${TOOLS.helm.version}`,
    "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": major,
    "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor,
    ...kubernetesVariables("k8s.io/component-base/version", kubernetes),
    ...kubernetesVariables("k8s.io/client-go/pkg/version", kubernetes),
    "sigs.k8s.io/kwok/pkg/consts.Version": TOOLS.kwok.version,
    "github.com/distribution/distribution/v3/version.version": `v${TOOLS.registry.version}`,
    // It names its own image after its version (envoyproxy/gateway@v1.8.3:internal/cmd/version/version.go).
    "github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion": `v${TOOLS["envoy-gateway"].version}`,
  };
  return ["-s -w", ...Object.entries(variables).map(([key, value]) => `-X ${key}=${value}`)].join(
    " ",
  );
}

function kubernetesVariables(goPackage: string, version: string): Record<string, string> {
  const [major = "", minor = ""] = version.split(".");
  return {
    [`${goPackage}.gitVersion`]: `v${version}`,
    [`${goPackage}.gitMajor`]: major,
    [`${goPackage}.gitMinor`]: minor,
  };
}

async function checkedGo(
  folder: string,
  names: readonly ToolName[],
  options: BuildOptions,
): Promise<string> {
  const required = requiredGo(await readFile(join(folder, "go.mod"), "utf8"));
  const go = await findExecutable("go", options.path);
  if (go === undefined) throw noGoError(names, "no go on PATH", required);
  // Outside the module, since inside it a go that is too old fails instead of saying its version.
  const result = await run(go, ["env", "GOVERSION", "GOTOOLCHAIN"], { cwd: "/" });
  const [version = "", toolchain = ""] = result.stdout.split("\n");
  // From 1.21 on, go fetches the release that a go.mod asks for, unless it is told to stay local.
  const fetches = isGoNewEnough(version, "1.21") && !toolchain.startsWith("local");
  if (!isGoNewEnough(version, required) && !fetches) {
    throw noGoError(names, `${version || "a go that does not say its version"} at ${go}`, required);
  }
  return go;
}

function noGoError(names: readonly ToolName[], found: string, required: string) {
  return sandboxError({
    code: "sandbox-tools-missing",
    where: names.join(", "),
    found: `not on PATH, official downloads out of reach, and ${found}`,
    allowed: `one of: the tools on PATH, their download hosts in reach, or Go ${required} or newer`,
    fix: `install Go ${required} or newer, or put the tools on PATH, and start the sandbox again`,
  });
}

function buildError(build: ModuleBuild, step: "download" | "compile", tail: readonly string[]) {
  const lines = tail.filter((line) => parseGoLine(line).kind === "other").slice(-8);
  return sandboxError({
    code: `sandbox-tools-${step}`,
    where: build.names.join(", "),
    found: `go failed:\n    ${lines.join("\n    ")}`,
    allowed: "a build from the pinned Go modules",
    fix:
      step === "download"
        ? "check that GOPROXY names a Go module proxy that this machine can reach, then start the sandbox again"
        : "check disk space and memory, then start the sandbox again: what is compiled already is kept",
  });
}
