/**
 * A small process of the sandbox: starts a KWOK for each set of deferred stages when the kinds are served, and ends
 * it when they are gone, so that stages follow CRDs that come, go and come again. It outlives the command that
 * started it, survives an API server that is down for a while, and ends by itself when the cluster's folder is gone.
 *
 * Usage: node stage-keeper.ts <cluster folder>
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { apiClient, readKeys } from "./api.ts";
import { keeperPlanFile } from "./keeper-plan.ts";
import { endProcess, readProcess, startDetached } from "./processes.ts";
import type { ApiClient } from "./api.ts";
import type { KeeperPlan, KeeperSet } from "./keeper-plan.ts";

const POLL_MS = 400;
/** A KWOK that ended on its own (its CRDs vanished while it started) is started again, but not at once. */
const RESTART_MS = 1_000;
const END_MS = 2_000;
const NO_NODE = "kserve-platform.sandbox/none=none";

const folder = process.argv[2] ?? "";
const plan = JSON.parse(await readFile(keeperPlanFile(folder), "utf8")) as KeeperPlan;
const api = apiClient(plan.server, await readKeys(folder));
const startedAt = new Map<string, number>();
let ending = false;

process.once("SIGTERM", () => (ending = true));
process.once("SIGINT", () => (ending = true));
while (!ending && existsSync(keeperPlanFile(folder))) {
  for (const set of plan.sets) await keep(set, api);
  await sleep(POLL_MS);
}
for (const set of plan.sets) await end(set);
process.exit(0);

/** The pid file tells what runs: an earlier keeper that was killed has left its KWOKs running. */
async function keep(set: KeeperSet, client: ApiClient): Promise<void> {
  const running = await readProcess(set.pidFile, folder);
  const served = await isServed(set, client);
  if (running !== undefined && served === false) await end(set);
  if (running !== undefined || served !== true) return;
  if (Date.now() - (startedAt.get(set.apiGroup) ?? 0) < RESTART_MS) return;
  startedAt.set(set.apiGroup, Date.now());
  await start(set);
}

/** Whether the server serves all kinds of the set; undefined while it does not answer. */
async function isServed(set: KeeperSet, client: ApiClient): Promise<boolean | undefined> {
  const answer = await client.get(`/apis/${set.apiGroup}`);
  if (answer.status === 404) return false;
  if (answer.status !== 200) return undefined;
  const list = JSON.parse(answer.body) as { resources?: { kind?: string }[] };
  const served = new Set(list.resources?.map((resource) => resource.kind));
  return set.kinds.every((kind) => served.has(kind));
}

async function start(set: KeeperSet): Promise<void> {
  const args = [`--kubeconfig=${join(folder, "kubeconfig.yaml")}`, `--config=${set.stagesFile}`];
  // Nodes and pods belong to the cluster's own KWOK; an annotation that no node has leaves this one none.
  args.push("--manage-all-nodes=false", `--manage-nodes-with-annotation-selector=${NO_NODE}`);
  args.push("--node-lease-duration-seconds=0");
  const { logFile, pidFile } = set;
  await startDetached({ command: plan.kwok, args, cwd: folder, logFile, pidFile });
}

async function end(set: KeeperSet): Promise<void> {
  const running = await readProcess(set.pidFile, folder);
  if (running !== undefined) await endProcess(running, "SIGKILL", END_MS);
}
