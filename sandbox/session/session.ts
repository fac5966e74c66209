import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadCatalog } from "../../versions/catalog.ts";
import type { Catalog } from "../../versions/catalog.ts";
import type { Release } from "../../versions/schema.ts";
import { writeStandInCharts } from "../charts/index.ts";
import { writeModuleCharts } from "../charts/module-charts.ts";
import type { Cluster } from "../cluster/index.ts";
import { stateFolder } from "../paths.ts";
import { selectPlugins } from "../plugins/select.ts";
import type { Plugin } from "../plugins/select.ts";
import { acquireTools, isCached } from "../toolchain/index.ts";
import type { ToolProgress } from "../toolchain/index.ts";
import { bringUp } from "./nodes.ts";
import type { Nodes, SessionTools } from "./nodes.ts";
import { prepareProject, PROGRAM_ROOT, projectLayout, writeStack } from "./project.ts";
import type { ProjectLayout, StackAdditions } from "./project.ts";
import { runPulumi } from "./pulumi.ts";
import type { PulumiContext, PulumiOptions, PulumiResult } from "./pulumi.ts";

/** Where the charts of a sandbox come from. */
export interface ChartChoice {
  readonly kind: "stand-in" | "module" | "directory" | "upstream";
  /** Folder of the charts; absent for upstream. */
  readonly path?: string;
}

export interface SessionOptions {
  readonly name: string;
  /** Folder of real charts; absent: upstream where it can be reached, else those of Go modules, else stand-ins. */
  readonly charts?: string;
  /** @default simulated */
  readonly nodes?: Nodes;
  readonly report: (progress: ToolProgress) => void;
  readonly signal?: AbortSignal;
}

/** A running sandbox: cluster, tools, plugins, and a Pulumi project to work in. */
export interface Session {
  readonly name: string;
  readonly nodes: Nodes;
  readonly tools: SessionTools;
  readonly cluster: Cluster;
  readonly plugins: readonly Plugin[];
  readonly charts: ChartChoice;
  readonly layout: ProjectLayout;
  readonly context: PulumiContext;
}

const PROVIDER = "pulumi-resource-kubernetes";
/** Milliseconds to wait for an upstream host; no answer by then counts as out of reach. */
const REACH_TIMEOUT = 2_500;

/** Brings a sandbox up to where `pulumi` can work on it. Every step finds what an earlier run left. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { name, report, signal, nodes = "simulated" } = options;
  const abort = signal === undefined ? {} : { signal };
  const state = stateFolder(name);
  const layout = projectLayout(state);
  const { tools, cluster } = await bringUp(nodes, { name, report, ...abort });
  await prepareProject(layout);
  report({ phase: "choose plugins", done: 0, total: 1, detail: "official ones first" });
  const { plugins, pathPrepend } = await selectPlugins({
    stateDir: state,
    pulumi: tools.pulumi.path,
    pulumiHome: layout.home,
    env: process.env,
    install: true,
    builtProvider: {
      isThere: () => isCached(PROVIDER),
      get: async () => (await acquireTools({ report, ...abort }, [PROVIDER]))[PROVIDER],
    },
  });
  report({ phase: "choose charts", done: 0, total: 1, detail: "upstream where it can be reached" });
  const charts = await chooseCharts(options.charts, layout, nodes);
  const { pulumi, helm } = tools;
  const context: PulumiContext = {
    layout,
    pulumi,
    helm,
    kubeconfig: cluster.kubeconfig,
    pathPrepend,
  };
  return { name, nodes, tools, cluster, plugins, charts, layout, context };
}

/** Additions that bind a stack file to this sandbox. */
export function additionsFor(
  session: Session,
  config: StackAdditions["config"] = {},
): StackAdditions {
  const { path } = session.charts;
  return {
    kubeconfig: session.cluster.kubeconfig,
    config,
    ...(path === undefined ? {} : { charts: path }),
  };
}

/** Writes a stack from a stack file of this repository (by name or path), and makes it known to the backend. */
export async function openStack(
  session: Session,
  stack: { readonly name: string; readonly file: string },
  config: StackAdditions["config"] = {},
): Promise<void> {
  await writeStack(session.layout, stack, additionsFor(session, config));
  if (
    existsSync(
      join(session.layout.backend, ".pulumi", "stacks", "kserve-platform", `${stack.name}.json`),
    )
  )
    return;
  const result = await runPulumi(session.context, ["stack", "init", stack.name]);
  if (result.code !== 0)
    throw new Error(`pulumi stack init ${stack.name} failed:\n${result.output}`);
}

/** Runs an operation on a stack; preview and up always with the policy pack. */
export async function operate(
  session: Session,
  operation: {
    readonly command: "up" | "preview" | "destroy" | "refresh";
    readonly stack: string;
    readonly args?: readonly string[];
  },
  options: PulumiOptions = {},
): Promise<PulumiResult> {
  const { command, stack, args = [] } = operation;
  const policies =
    command === "up" || command === "preview"
      ? ["--policy-pack", join(PROGRAM_ROOT, "policies")]
      : [];
  const unattended = command === "preview" ? [] : ["--yes", "--skip-preview"];
  // Entries with hooks on their deletion are the program's to delete; the engine says so without it.
  const program = command === "destroy" ? ["--run-program"] : [];
  const quiet = ["--suppress-progress", "--suppress-permalink=true"];
  return runPulumi(
    session.context,
    [command, "--stack", stack, ...unattended, ...program, ...quiet, ...policies, ...args],
    options,
  );
}

async function chooseCharts(
  given: string | undefined,
  layout: ProjectLayout,
  nodes: Nodes,
): Promise<ChartChoice> {
  if (given !== undefined) return { kind: "directory", path: given };
  const catalog = loadCatalog();
  const releases = releasesOfSets(catalog);
  if (await upstreamReachable(releases)) return { kind: "upstream" };
  await writeStandInCharts({ dir: layout.charts, releases });
  if (nodes === "simulated") return { kind: "stand-in", path: layout.charts };
  // Over the stand-ins, whose controllers would have no rights and no webhooks.
  for (const release of releases) await writeModuleCharts(layout.charts, release);
  return { kind: "module", path: layout.charts };
}

/** Every release that a version set names. */
function releasesOfSets(catalog: Catalog): Release[] {
  const products = [
    "gateway-api",
    "cert-manager",
    "istio",
    "envoy-gateway",
    "knative-operator",
    "kserve",
  ] as const;
  const releases = catalog.sets.flatMap((set) =>
    products.flatMap((product) => {
      const version = set[product];
      return version === undefined ? [] : [catalog.get(product, version)];
    }),
  );
  return [...new Set(releases)];
}

async function upstreamReachable(releases: readonly Release[]): Promise<boolean> {
  const addresses = releases.flatMap((release) => [
    ...release.charts.map((chart) => chart.repository),
    ...release.manifests.map((manifest) => manifest.url),
  ]);
  const hosts = [
    ...new Set(addresses.map((address) => new URL(address.replace(/^oci:/, "https:")).host)),
  ];
  const answers = await Promise.all(hosts.map(reachable));
  return answers.every(Boolean);
}

async function reachable(host: string): Promise<boolean> {
  const late = sleep(REACH_TIMEOUT, false, { ref: false });
  const answer = fetch(`https://${host}/`, {
    method: "HEAD",
    signal: AbortSignal.timeout(REACH_TIMEOUT),
  }).then(
    () => true,
    () => false,
  );
  return Promise.race([answer, late]);
}
