import { createHash, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { MODULES_FOLDER, TOOLS } from "./tools.ts";
import type { ToolName } from "./tools.ts";

/**
 * The cache of tools: `tools/<name>-<version>-<os>-<arch>/<name>`, each folder put in place by one rename, so that
 * a tool is there whole or not at all. Unfinished work lives in `work/` on the same disk, where a rename is atomic.
 */
export interface ToolStore {
  readonly root: string;
  readonly toolsFolder: string;
  readonly workFolder: string;
  readonly lockFile: string;
}

/** Opens the store below a cache folder; creates nothing. */
export function toolStore(cacheFolder: string): ToolStore {
  return {
    root: cacheFolder,
    toolsFolder: join(cacheFolder, "tools"),
    workFolder: join(cacheFolder, "work"),
    lockFile: join(cacheFolder, "tools.lock"),
  };
}

/** Where the program of a tool is, or will be. */
export function storedPath(store: ToolStore, name: ToolName): string {
  return join(storedFolder(store, name), name);
}

/** True when the tool is there at the wanted version; a rename made it, so there is nothing to probe. */
export async function isStored(store: ToolStore, name: ToolName): Promise<boolean> {
  return stat(storedPath(store, name)).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** A fresh folder for unfinished work. */
export async function newWorkFolder(store: ToolStore): Promise<string> {
  const folder = join(store.workFolder, randomUUID());
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Removes what interrupted runs left. Only for the holder of the lock: it takes everybody's work. */
export async function clearWork(store: ToolStore): Promise<void> {
  const folders = await readdir(store.workFolder).catch(() => []);
  for (const folder of folders) {
    await rm(join(store.workFolder, folder), { recursive: true, force: true });
  }
}

/**
 * Puts a finished folder, which holds the program under the tool's name, in its final place. When another run was
 * faster its folder stays and this one is dropped: both are the same version.
 */
export async function storeFolder(
  store: ToolStore,
  name: ToolName,
  finished: string,
): Promise<string> {
  await mkdir(store.toolsFolder, { recursive: true });
  const target = storedFolder(store, name);
  if (!(await isStored(store, name))) await rm(target, { recursive: true, force: true });
  try {
    await rename(finished, target);
  } catch (error) {
    if (!(await isStored(store, name))) throw error;
    await rm(finished, { recursive: true, force: true });
  }
  return storedPath(store, name);
}

function storedFolder(store: ToolStore, name: ToolName): string {
  const label = `${name}-${TOOLS[name].version}${ownPart(name)}-${process.platform}-${process.arch}`;
  return join(store.toolsFolder, label);
}

/** Programs with a `main` of ours change when that does, whatever the version of what they are made of. */
function ownPart(name: ToolName): string {
  const { goPackage, module } = TOOLS[name];
  if (!goPackage.startsWith("./")) return "";
  const folder = join(MODULES_FOLDER, module, goPackage);
  const hash = createHash("sha256");
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  return `-${hash.digest("hex").slice(0, 8)}`;
}
