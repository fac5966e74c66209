import { join } from "node:path";
import { startCluster } from "../cluster/index.ts";
import type { Cluster } from "../cluster/index.ts";
import { buildImages, exportArchive } from "../images/index.ts";
import type { BuiltImage } from "../images/index.ts";
import { stateFolder } from "../paths.ts";
import { missingForReal, NODE_BINARIES, startRealCluster, unavailable } from "../real/index.ts";
import { acquireTools } from "../toolchain/index.ts";
import type { Tool, ToolName, ToolProgress } from "../toolchain/index.ts";
import { CLUSTER_TOOLS, IMAGE_PROGRAMS } from "../toolchain/tools.ts";

/** What pods are: KWOK's, which become Ready without running, or processes in containers. */
export type Nodes = "simulated" | "real";

/** What bringing up a cluster needs. */
export interface NodesOptions {
  readonly name: string;
  readonly report: (progress: ToolProgress) => void;
  readonly signal?: AbortSignal;
}

/** The two images that a node cannot pull: without them it pulls nothing. */
const NODE_IMAGES = {
  pause: "registry.k8s.io/pause:3.10.1",
  coredns: "registry.k8s.io/coredns/coredns:v1.13.1",
} as const;

/** Tools of every session, whatever its nodes are. */
const SESSION_TOOLS = ["pulumi", "helm"] as const;
export type SessionTools = Readonly<Record<(typeof SESSION_TOOLS)[number], Tool>>;

/** A cluster and the tools that a session on it works with. */
export interface Brought {
  readonly tools: SessionTools;
  readonly cluster: Cluster;
}

/** Brings up the cluster of a sandbox; finds what an earlier run left. */
export function bringUp(nodes: Nodes, options: NodesOptions): Promise<Brought> {
  return nodes === "real" ? bringUpReal(options) : bringUpSimulated(options);
}

async function bringUpSimulated(options: NodesOptions): Promise<Brought> {
  const tools = await acquireTools(options, CLUSTER_TOOLS);
  return { tools, cluster: await startCluster({ ...options, tools }) };
}

async function bringUpReal(options: NodesOptions): Promise<Brought> {
  // Nobody builds for a quarter of an hour to learn then that this machine cannot.
  const missing = await missingForReal();
  if (missing.length > 0) throw unavailable(missing);
  const tools = await acquireTools(options, [...SESSION_TOOLS, ...NODE_BINARIES]);
  const images = await nodeImages(options);
  const cluster = await startRealCluster({ ...options, binaries: pathsOf(tools), images });
  return { tools, cluster };
}

/** Images of this machine's making for the names that a plan asks for; those without a recipe are left out. */
export async function imagesFor(
  wanted: readonly string[],
  options: NodesOptions,
): Promise<BuiltImage[]> {
  const programs = pathsOf(await acquireTools(options, IMAGE_PROGRAMS));
  return buildImages({ ...options, programs, wanted });
}

async function nodeImages(options: NodesOptions) {
  const built = await imagesFor(Object.values(NODE_IMAGES), options);
  const archive = async (key: keyof typeof NODE_IMAGES): Promise<string> => {
    const file = join(stateFolder(options.name), "node-images", `${key}.tar`);
    const name = NODE_IMAGES[key];
    const digest = built.find(({ upstream }) => upstream === name)?.digest ?? "";
    await exportArchive([{ name, digest }], { ...options, file });
    return file;
  };
  return { pause: await archive("pause"), coredns: await archive("coredns") };
}

function pathsOf<Name extends ToolName>(
  tools: Readonly<Record<Name, Tool>>,
): Readonly<Record<Name, string>> {
  const pairs = Object.values<Tool>(tools).map(({ name, path }) => [name, path] as const);
  return Object.fromEntries(pairs) as Record<Name, string>;
}
