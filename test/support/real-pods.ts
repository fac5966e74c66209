/**
 * A real node with a registry beside it that holds what `sandbox up --real` installs, for tests that take the cluster
 * away and begin again: the registry stays filled.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { contentsOfPlan } from "../../bundle/contents.ts";
import type { Contents } from "../../bundle/contents.ts";
import { requireOutsidePlan } from "../../cli/stack.ts";
import type { BuiltImages, Filled } from "../../sandbox/airgap/fill.ts";
import {
  closeGap,
  fillGap,
  gapStackFile,
  insideGap,
  openGap,
  openGapStack,
  planGap,
} from "../../sandbox/airgap/gap.ts";
import type { Gap } from "../../sandbox/airgap/gap.ts";
import { imagesFolder } from "../../sandbox/images/index.ts";
import { cacheFolder, stateFolder } from "../../sandbox/paths.ts";
import { shareRegistry, stopRealCluster } from "../../sandbox/real/index.ts";
import { stopRegistry } from "../../sandbox/registry/server.ts";
import { imagesFor } from "../../sandbox/session/nodes.ts";
import { prepareModels } from "../../sandbox/session/prediction.ts";
import { projectLayout } from "../../sandbox/session/project.ts";
import { runPulumi } from "../../sandbox/session/pulumi.ts";
import { openSession } from "../../sandbox/session/session.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { TOOLS } from "../../sandbox/toolchain/tools.ts";

/** What is installed: the sandbox's own choice for real nodes. */
const FILE = join(import.meta.dirname, "..", "..", "sandbox", "stacks", "real.yaml");
const STACK = "e2e";
const KUBERNETES = TOOLS["kube-apiserver"].version;
const report = (): void => undefined;

/** A cluster with nothing on it but what a stack of models wants to find, and everything that it pulls. */
export interface RealPods {
  readonly name: string;
  readonly gap: Gap;
  readonly contents: Contents;
  readonly built: BuiltImages;
  filled: Filled;
  /** The session of the cluster that runs now. */
  session: Session;
}

/** Starts node and registry, and fills the registry; whatever an earlier run left is removed first. */
export async function openRealPods(name: string): Promise<RealPods> {
  await removeAll(name);
  const outside = await openSession({ name, nodes: "real", report });
  const gap = await openGap(await planGap(name), report);
  const contents = await contentsInside(gap);
  const wanted = contents.images.map(({ upstream }) => upstream);
  const images = await imagesFor(wanted, { name, report });
  const built = { folder: imagesFolder(cacheFolder()), images };
  const filled = await fillGap(gap, { contents, charts: outside.charts.path, built });
  const session = await insideGap(outside, gap);
  const pods = { name, gap, contents, built, filled, session };
  await furnish(pods);
  return pods;
}

/** Another cluster in the place of the first, on which nothing was installed and to which nothing was pulled. */
export async function renewCluster(pods: RealPods): Promise<void> {
  const { name, gap } = pods;
  await stopRealCluster({ name });
  const { project, backend } = projectLayout(stateFolder(name));
  for (const folder of [project, backend]) await rm(folder, { recursive: true, force: true });
  pods.session = await insideGap(await openSession({ name, nodes: "real", report }), gap);
  await furnish(pods);
}

/** Puts back what is missing in the registry. */
export async function refill(pods: RealPods): Promise<void> {
  const { gap, contents, built, session } = pods;
  pods.filled = await fillGap(gap, { contents, charts: session.charts.path, built });
}

/** Writes the stack `e2e`, with further keys; the registry's right password is part of it. */
export async function configureReal(
  { session, gap, filled }: RealPods,
  config: Record<string, unknown> = {},
): Promise<void> {
  await openGapStack(session, gap, { name: STACK, file: FILE }, { images: filled.pinned, config });
}

/** Gives the stack a password for pods that the registry does not know. */
export async function misspellPassword({ session }: RealPods): Promise<void> {
  const secret = ["--secret", "kserve:registry.pullSecret.password", "not-the-password"];
  const args = ["config", "set", "--stack", STACK, "--path", ...secret];
  const result = await runPulumi(session.context, args);
  if (result.code !== 0) throw new Error(`pulumi config set failed:\n${result.output}`);
}

/** Ends everything, and removes what it has left on disk. */
export async function closeRealPods(name: string, pods: RealPods | undefined): Promise<void> {
  if (pods !== undefined) await closeGap(pods.gap);
  await removeAll(name);
}

/** Lets the node pull from the registry as it should. */
export async function trustRegistry({ name, gap }: RealPods): Promise<void> {
  const { host, certificates } = gap.registry;
  await shareRegistry({ name, host, caFile: certificates.ca });
}

async function furnish(pods: RealPods): Promise<void> {
  await trustRegistry(pods);
  await prepareModels(pods.session);
}

async function removeAll(name: string): Promise<void> {
  await stopRegistry(name);
  await stopRealCluster({ name });
  await rm(stateFolder(name), { recursive: true, force: true });
}

async function contentsInside(gap: Gap): Promise<Contents> {
  const outside = await requireOutsidePlan(await gapStackFile(gap, { file: FILE }), KUBERNETES);
  if (outside === undefined) throw new Error("the stack has problems");
  return contentsOfPlan(outside.plan);
}
