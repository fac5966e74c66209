import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sandboxError } from "../toolchain/sandbox-error.ts";

/** A mounted hierarchy of control groups. */
export interface Hierarchy {
  readonly mount: string;
  readonly version: 1 | 2;
}

/** Below the sandbox's group: what is no container. The kubelet makes the group of the pods beside it. */
const SYSTEM = "system";
/** Controllers that the kubelet insists on: kubernetes@v1.34.3:pkg/kubelet/cm/cgroup_manager_linux.go. */
export const UNIFIED_CONTROLLERS = ["cpu", "cpuset", "memory", "pids"] as const;
const END_MS = 30_000;
const POLL_MS = 50;

/** All hierarchies of this machine, from the text of `/proc/mounts`. */
export function hierarchies(mounts: string = readMounts()): Hierarchy[] {
  return mounts.split("\n").flatMap((line): Hierarchy[] => {
    const [, mount = "", type] = line.split(" ");
    if (type === "cgroup") return [{ mount, version: 1 }];
    return type === "cgroup2" ? [{ mount, version: 2 }] : [];
  });
}

function readMounts(): string {
  return existsSync("/proc/mounts") ? readFileSync("/proc/mounts", "utf8") : "";
}

/**
 * The hierarchies that count: those of version 1 where there are any, else the unified one. A machine with both has
 * its controllers in version 1.
 */
export function usedHierarchies(all: readonly Hierarchy[] = hierarchies()): Hierarchy[] {
  const first = all.filter(({ version }) => version === 1);
  return first.length > 0 ? first : [...all];
}

/** Makes the sandbox's groups. Gives the folders that a process of the node has to enter. */
export async function makeCgroups(name: string): Promise<string[]> {
  const folders: string[] = [];
  for (const { mount, version } of usedHierarchies()) {
    const system = join(mount, name, SYSTEM);
    if (version === 2) await enableControllers(mount);
    await mkdir(join(mount, name), { recursive: true });
    if (version === 2) await enableControllers(join(mount, name));
    await mkdir(system, { recursive: true });
    if (version === 1) await copyCpusets(mount, [join(mount, name), system]);
    folders.push(system);
  }
  return folders;
}

/**
 * Without this the groups below have no files of the controllers. Fails for a group that holds processes itself, as the
 * root of a container does.
 */
export async function enableControllers(group: string): Promise<void> {
  const wanted = UNIFIED_CONTROLLERS.map((controller) => `+${controller}`).join(" ");
  await writeFile(join(group, "cgroup.subtree_control"), wanted);
}

/** A new cpuset of version 1 is empty, and nothing can enter it before it has CPUs and memory. */
async function copyCpusets(mount: string, groups: readonly string[]): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const text = await readFile(join(mount, file), "utf8").catch(() => undefined);
    if (text === undefined) return;
    for (const group of groups) await writeFile(join(group, file), text.trim());
  }
}

/** Ids of all processes in the sandbox's groups, containers included. */
export async function cgroupProcesses(name: string): Promise<number[]> {
  const found = new Set<number>();
  const trees = await Promise.all(hierarchies().map(({ mount }) => groupsBelow(join(mount, name))));
  for (const group of trees.flat()) {
    const text = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
    // 0 stands for a process that cannot be seen from here.
    const ids = text.split("\n").map(Number);
    for (const id of ids.filter((each) => each > 0)) found.add(id);
  }
  return [...found];
}

/** Kills everything in the sandbox's groups and removes them; fine when there are none. */
export async function endCgroups(name: string): Promise<void> {
  const deadline = Date.now() + END_MS;
  for (;;) {
    const ids = await cgroupProcesses(name);
    if (ids.length === 0 && (await removeGroups(name))) return;
    if (Date.now() > deadline) throw endError(name, ids);
    for (const id of ids) kill(id);
    await sleep(POLL_MS);
  }
}

/** runc makes groups in the unified hierarchy too, where version 1 is the one in use; so all are looked through. */
async function removeGroups(name: string): Promise<boolean> {
  let gone = true;
  for (const { mount } of hierarchies()) {
    // Deepest first: a group with others below it cannot be removed.
    for (const group of (await groupsBelow(join(mount, name))).reverse()) {
      gone = (await removed(group)) && gone;
    }
  }
  return gone;
}

function removed(group: string): Promise<boolean> {
  return rmdir(group).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}

/** A group and all below it, parents first; nothing when it is not there. */
async function groupsBelow(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const found = [group];
  for (const entry of entries) {
    if (entry.isDirectory()) found.push(...(await groupsBelow(join(group, entry.name))));
  }
  return found;
}

function kill(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

function endError(name: string, ids: readonly number[]) {
  return sandboxError({
    code: "sandbox-real-end",
    where: `control group ${name}`,
    found: ids.length > 0 ? `processes that do not end: ${ids.join(", ")}` : "it cannot be removed",
    allowed: `an empty group within ${END_MS / 1000} seconds`,
    fix: "look at those processes (a disk that does not answer keeps them), then take the sandbox down again",
  });
}
