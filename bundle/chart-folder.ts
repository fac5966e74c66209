import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { list } from "tar";
import { parse } from "yaml";

/** A chart found below a folder. */
export interface FoundChart {
  readonly name: string;
  /** Without leading v. */
  readonly version: string;
  readonly path: string;
}

/** How deep charts are looked for: `DIR/<chart>-<version>/<chart>/Chart.yaml` is what `helm pull --untardir` leaves. */
const MAX_DEPTH = 3;

/** All charts below a folder, unpacked or as `.tgz`, known by their Chart.yaml and not by their file names. */
export async function findCharts(folder: string, depth = MAX_DEPTH): Promise<FoundChart[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.some((entry) => entry.name === "Chart.yaml")) {
    return chartOf(folder, await readFile(join(folder, "Chart.yaml"), "utf8"));
  }
  const found: FoundChart[] = [];
  for (const entry of entries.sort((one, two) => one.name.localeCompare(two.name))) {
    const path = join(folder, entry.name);
    if (/\.(?:tgz|tar\.gz)$/.test(entry.name)) found.push(...chartOf(path, await metadataOf(path)));
    else if (depth > 1 && (await isFolder(path)))
      found.push(...(await findCharts(path, depth - 1)));
  }
  return found;
}

/** Follows links; a link to nothing is no folder. */
async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function chartOf(path: string, text: string): FoundChart[] {
  const meta = parse(text) as Partial<Record<"name" | "version", unknown>> | null;
  if (typeof meta?.name !== "string" || typeof meta.version !== "string") return [];
  return [{ name: meta.name.trim(), version: meta.version.trim().replace(/^v/, ""), path }];
}

/** `<chart>/Chart.yaml` of an archive; dependencies have theirs deeper. */
async function metadataOf(archive: string): Promise<string> {
  const parts: Buffer[] = [];
  await list({
    file: archive,
    filter: (path) =>
      basename(path) === "Chart.yaml" && path.replace(/^\.\//, "").split("/").length === 2,
    onReadEntry: (entry) => entry.on("data", (part: Buffer) => parts.push(part)),
  });
  return Buffer.concat(parts).toString("utf8");
}
