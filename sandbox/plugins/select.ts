import { realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { findExecutable } from "../toolchain/on-path.ts";
import { run } from "../toolchain/run.ts";
import type { Tool } from "../toolchain/index.ts";
import { isLauncher, writeLauncher } from "./launcher.ts";
import type { StandInName } from "./launcher.ts";
import { findInstalled } from "./plugin-folder.ts";

/** Executable names of the plugins that a run of the program needs. */
export type PluginName = StandInName | "pulumi-resource-kubernetes";

/** A plugin as a run will use it. */
export interface Plugin {
  readonly name: PluginName;
  /** `built`: the official one's code, built here from its Go module. */
  readonly kind: "official" | "built" | "stand-in";
  /** Path of the executable. */
  readonly path: string;
  /** `unknown` for an official plugin outside a plugin folder: only the folder's name says the version. */
  readonly version: string;
}

/** What {@link selectPlugins} looks at. */
export interface SelectOptions {
  /** Folder of the sandbox; launchers go into `plugins/` in it. */
  readonly stateDir: string;
  /** Path of the pulumi executable. */
  readonly pulumi: string;
  /** PULUMI_HOME that the run will have; official plugins are installed there. */
  readonly pulumiHome: string;
  /** The user's environment: PATH, PULUMI_HOME, HOME. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether to try Pulumi's own downloads for what is not installed. */
  readonly install: boolean;
  /** Gets the Kubernetes provider that is built from its Go module. */
  readonly builtProvider: BuiltProvider;
}

/** Where the Kubernetes provider comes from that no download can bring. */
export interface BuiltProvider {
  /** Whether an earlier run has built it: then nobody waits for downloads that could not be reached. */
  isThere(): Promise<boolean>;
  /** Builds it, or finds what was built. */
  get(): Promise<Tool>;
}

/** The plugins of a run, and the folders that have to come first on its PATH. */
export interface Selection {
  readonly plugins: readonly Plugin[];
  readonly pathPrepend: readonly string[];
}

/** How long one download may take, in milliseconds; where it is blocked without an answer this is lost time. */
const INSTALL_TIMEOUT_MS = 60_000;

interface SpecOf<Name extends PluginName> {
  readonly name: Name;
  /** Name in `pulumi plugin install resource <package>`; absent for the language host, which comes with pulumi. */
  readonly package?: string;
  /** Version of the SDK that the program uses. */
  readonly version: string;
}

type KubernetesSpec = SpecOf<"pulumi-resource-kubernetes">;
type StandInSpec = SpecOf<StandInName>;
type PluginSpec = KubernetesSpec | StandInSpec;

interface Found {
  readonly plugin: Plugin;
  /** Folder that the engine does not search by itself. */
  readonly folder?: string;
}

const SPECS: readonly PluginSpec[] = [
  { name: "pulumi-language-nodejs", version: packageJson.dependencies["@pulumi/pulumi"] },
  {
    name: "pulumi-resource-kubernetes",
    package: "kubernetes",
    version: packageJson.dependencies["@pulumi/kubernetes"],
  },
  {
    name: "pulumi-resource-kubernetes-cert-manager",
    package: "kubernetes-cert-manager",
    version: packageJson.dependencies["@pulumi/kubernetes-cert-manager"],
  },
];

/**
 * Chooses each plugin of a run. An official one wins wherever it is installed: on PATH, next to pulumi, in the run's or
 * the user's plugin folder, or after a download. Where there is none, the Kubernetes provider is built from its Go module;
 * the other two have stand-ins, and launchers are written for those in use. The run must not have PULUMI_IGNORE_AMBIENT_PLUGINS set: it would keep the engine from PATH.
 */
export async function selectPlugins(options: SelectOptions): Promise<Selection> {
  const found = await Promise.all(SPECS.map((spec) => selectOne(spec, options)));
  const folders = found.map((item) => item.folder).filter((folder) => folder !== undefined);
  return { plugins: found.map((item) => item.plugin), pathPrepend: [...new Set(folders)] };
}

async function selectOne(spec: PluginSpec, options: SelectOptions): Promise<Found> {
  return (
    (await findOnUserPath(spec, options)) ??
    (await findNextToPulumi(spec, options)) ??
    (await findInHomes(spec, options)) ??
    (await installOfficial(spec, options)) ??
    (isKubernetes(spec) ? await builtProvider(options) : await standIn(spec, options))
  );
}

function isKubernetes(spec: PluginSpec): spec is KubernetesSpec {
  return spec.name === "pulumi-resource-kubernetes";
}

async function findOnUserPath(
  spec: PluginSpec,
  options: SelectOptions,
): Promise<Found | undefined> {
  for (const folder of (options.env["PATH"] ?? "").split(delimiter)) {
    const path = await findExecutable(spec.name, folder);
    // A shell inside a sandbox has the launchers on its PATH; they are no official plugins.
    if (path === undefined || (await isLauncher(path))) continue;
    return { plugin: { name: spec.name, kind: "official", path, version: "unknown" } };
  }
  return undefined;
}

async function findNextToPulumi(
  spec: PluginSpec,
  options: SelectOptions,
): Promise<Found | undefined> {
  const pulumi = await realpath(options.pulumi).catch(() => options.pulumi);
  const folder = dirname(pulumi);
  const path = await findExecutable(spec.name, folder);
  if (path === undefined || (await isLauncher(path))) return undefined;
  const plugin: Plugin = { name: spec.name, kind: "official", path, version: "unknown" };
  // The engine looks next to itself for language hosts only (sdk/go/common/workspace/plugins.go, IsPluginBundled).
  return spec.package === undefined ? { plugin } : { plugin, folder };
}

async function findInHomes(spec: PluginSpec, options: SelectOptions): Promise<Found | undefined> {
  if (spec.package === undefined) return undefined;
  const userHome = join(options.env["HOME"] ?? homedir(), ".pulumi");
  for (const home of [options.pulumiHome, options.env["PULUMI_HOME"] ?? userHome, userHome]) {
    const installed = await findInstalled(join(home, "plugins"), spec.package, spec.version);
    if (installed === undefined) continue;
    const { path, version } = installed;
    const plugin: Plugin = { name: spec.name, kind: "official", path, version };
    const engineFindsIt = home === options.pulumiHome && version === spec.version;
    return engineFindsIt ? { plugin } : { plugin, folder: dirname(path) };
  }
  return undefined;
}

async function installOfficial(
  spec: PluginSpec,
  options: SelectOptions,
): Promise<Found | undefined> {
  if (!options.install || spec.package === undefined) return undefined;
  if (isKubernetes(spec) && (await options.builtProvider.isThere())) return undefined;
  const env = {
    ...options.env,
    PULUMI_HOME: options.pulumiHome,
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  const args = ["plugin", "install", "resource", spec.package, spec.version];
  const signal = AbortSignal.timeout(INSTALL_TIMEOUT_MS);
  // A download that fails for whatever reason is what the stand-ins are for.
  await run(options.pulumi, args, { env, signal }).catch(() => undefined);
  return findInHomes(spec, options);
}

async function builtProvider(options: SelectOptions): Promise<Found> {
  const { path, version } = await options.builtProvider.get();
  const name = "pulumi-resource-kubernetes";
  return { plugin: { name, kind: "built", path, version }, folder: dirname(path) };
}

async function standIn(spec: StandInSpec, options: SelectOptions): Promise<Found> {
  const path = await writeLauncher(options.stateDir, spec.name);
  const version = `${spec.version}-standin`;
  return { plugin: { name: spec.name, kind: "stand-in", path, version }, folder: dirname(path) };
}
