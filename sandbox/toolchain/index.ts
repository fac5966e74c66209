import { join } from "node:path";
import { cacheFolder } from "../paths.ts";
import { downloadRelease, reachableReleases } from "./download.ts";
import { buildTools } from "./go-build.ts";
import { withLock } from "./lock.ts";
import { findOnPath } from "./on-path.ts";
import { officialRelease } from "./releases.ts";
import { clearWork, isStored, newWorkFolder, storedPath, storeFolder, toolStore } from "./store.ts";
import { CLUSTER_TOOLS, TOOLS } from "./tools.ts";
import type { ReachableRelease } from "./download.ts";
import type { Release } from "./releases.ts";
import type { ToolStore } from "./store.ts";
import type { ClusterToolName, Tool, ToolName, ToolProgress } from "./tools.ts";

export type { ClusterToolName, Tool, ToolName, ToolProgress } from "./tools.ts";
export { SandboxError } from "./sandbox-error.ts";

/** How {@link acquireTools} reports, stops, and where it looks. */
export interface AcquireOptions {
  readonly report: (progress: ToolProgress) => void;
  readonly signal?: AbortSignal;
  /** @default the cache folder of this user, see `cacheFolder` */
  readonly cache?: string;
  /** @default PATH */
  readonly path?: string;
}

interface Acquisition extends AcquireOptions {
  readonly names: readonly ToolName[];
  readonly store: ToolStore;
  readonly path: string;
  readonly found: Map<ToolName, Tool>;
}

/**
 * Gets the tools of a cluster, or those named; first that works: the cache, PATH, the official download with its published checksum, a build
 * from Go modules. The cache comes first because its versions are certain and cost no look; the rest happens once
 * for a machine, under a lock. Throws a {@link SandboxError} that says what to install when nothing works.
 */
export async function acquireTools<Name extends ToolName = ClusterToolName>(
  options: AcquireOptions,
  names: readonly Name[] = CLUSTER_TOOLS as readonly ToolName[] as readonly Name[],
): Promise<Readonly<Record<Name, Tool>>> {
  const acquisition: Acquisition = {
    ...options,
    names,
    store: toolStore(options.cache ?? cacheFolder()),
    path: options.path ?? process.env["PATH"] ?? "",
    found: new Map(),
  };
  await takeStored(acquisition, "cache");
  await takeFromPath(acquisition);
  if (missing(acquisition).length > 0) await fetchMissing(acquisition);
  return Object.fromEntries(acquisition.found) as Record<Name, Tool>;
}

/** True where an earlier run has put the tool into the cache. */
export function isCached(name: ToolName, cache = cacheFolder()): Promise<boolean> {
  return isStored(toolStore(cache), name);
}

function missing({ names, found }: Acquisition): ToolName[] {
  return names.filter((name) => !found.has(name));
}

async function takeStored(acquisition: Acquisition, origin: Tool["origin"]): Promise<void> {
  const { store, found } = acquisition;
  const look = missing(acquisition).map(async (name) => {
    if (!(await isStored(store, name))) return;
    const path = storedPath(store, name);
    found.set(name, { name, version: TOOLS[name].version, path, origin });
  });
  await Promise.all(look);
}

async function takeFromPath(acquisition: Acquisition): Promise<void> {
  const look = missing(acquisition).map(async (name) => {
    const tool = await findOnPath(name, acquisition.path);
    if (tool !== undefined) acquisition.found.set(name, tool);
  });
  await Promise.all(look);
}

async function fetchMissing(acquisition: Acquisition): Promise<void> {
  const { store, report, signal } = acquisition;
  const onWait = (holder: number) =>
    report({
      phase: "wait",
      done: 0,
      total: 0,
      detail: `process ${holder} is getting the same tools`,
    });
  await withLock(store.lockFile, { onWait, signal }, async () => {
    // Whoever held the lock may have brought what is missing here.
    await takeStored(acquisition, "cache");
    await clearWork(store);
    try {
      await downloadMissing(acquisition);
      await takeStored(acquisition, "download");
      await buildTools(store, missing(acquisition), acquisition);
      await takeStored(acquisition, "go-build");
    } finally {
      await clearWork(store);
    }
  });
}

async function downloadMissing(acquisition: Acquisition): Promise<void> {
  const names = missing(acquisition);
  if (names.length === 0) return;
  acquisition.report({
    phase: "official downloads",
    done: 0,
    total: names.length,
    detail: "looking for them",
  });
  const reachable = await reachableReleases(releasesOf(names), { signal: acquisition.signal });
  const work = await newWorkFolder(acquisition.store);
  for (const [index, item] of reachable.entries()) {
    await downloadOne(acquisition, item, { folder: join(work, item.name), index });
  }
}

async function downloadOne(
  { store, report, signal }: Acquisition,
  item: ReachableRelease,
  place: { folder: string; index: number },
): Promise<void> {
  const onBytes = throttle((done: number, total: number) =>
    report({ phase: `download ${item.name}`, done, total, detail: item.release.url }),
  );
  if (await downloadRelease(item, place.folder, { signal, onBytes })) {
    await storeFolder(store, item.name, place.folder);
  }
}

function releasesOf(names: readonly ToolName[]): Map<ToolName, Release> {
  const platform = { os: process.platform, arch: process.arch };
  const pairs = names.map((name) => [name, officialRelease(name, platform)] as const);
  return new Map(pairs.filter((pair): pair is [ToolName, Release] => pair[1] !== undefined));
}

/** Ten reports a second are plenty for a progress line; chunks come by the thousand. */
function throttle(send: (done: number, total: number) => void) {
  let last = 0;
  return (done: number, total: number) => {
    if (Date.now() - last < 100 && done !== total) return;
    last = Date.now();
    send(done, total);
  };
}
