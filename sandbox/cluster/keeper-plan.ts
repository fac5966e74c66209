import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeferredStages } from "./stages.ts";

/** One KWOK that the stage keeper runs while the kinds are served. */
export interface KeeperSet {
  readonly apiGroup: string;
  readonly kinds: readonly string[];
  readonly stagesFile: string;
  readonly logFile: string;
  readonly pidFile: string;
}

/** What the stage keeper is told, as JSON in the cluster's folder. */
export interface KeeperPlan {
  readonly server: string;
  /** The kwok program as kwokctl has linked it into the cluster's folder, by which its processes are known. */
  readonly kwok: string;
  readonly sets: readonly KeeperSet[];
}

/** Where the plan of a cluster is. */
export function keeperPlanFile(clusterFolder: string): string {
  return join(clusterFolder, "stages", "plan.json");
}

/** Writes the plan and the stage files that it names. */
export async function writeKeeperPlan(
  clusterFolder: string,
  server: string,
  deferred: readonly DeferredStages[],
): Promise<void> {
  const folder = join(clusterFolder, "stages");
  await mkdir(folder, { recursive: true });
  const sets: KeeperSet[] = [];
  for (const { apiGroup, kinds, text } of deferred) {
    const label = apiGroup.replace("/", "-");
    const stagesFile = join(folder, `${label}.yaml`);
    await writeFile(stagesFile, text);
    const logFile = join(clusterFolder, "logs", `stages-${label}.log`);
    const pidFile = join(clusterFolder, "pids", `stages-${label}.pid`);
    sets.push({ apiGroup, kinds, stagesFile, logFile, pidFile });
  }
  const kwok = join(clusterFolder, "bin", "kwok-controller");
  const plan: KeeperPlan = { server, kwok, sets };
  await writeFile(keeperPlanFile(clusterFolder), JSON.stringify(plan, undefined, 2));
}
