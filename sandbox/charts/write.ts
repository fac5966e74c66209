/** Writes stand-in charts and manifests as files, each one whole or not at all. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { type ChartModel, type ManifestModel, objectText, templateText } from "./model.ts";

/** File contents by path under the chart's folder. */
export type ChartFiles = Readonly<Record<string, string>>;

const HEADER =
  "# Stand-in for tests: right names and kinds, nothing behind them. Not the published chart.\n";

/** Every file of a chart, by its path. */
export function chartFiles(chart: ChartModel): ChartFiles {
  const meta = {
    apiVersion: "v2",
    name: chart.name,
    version: chart.version,
    appVersion: chart.version,
    ...(chart.kubeVersion === undefined ? {} : { kubeVersion: chart.kubeVersion }),
    description: "Stand-in for the sandbox",
  };
  const files: Record<string, string> = {
    "Chart.yaml": HEADER + stringify(meta),
    "values.yaml": HEADER + stringify(chart.values),
  };
  if (chart.schema) files["values.schema.json"] = `${JSON.stringify(chart.schema, null, 2)}\n`;
  for (const [name, template] of Object.entries(chart.templates))
    files[`templates/${name}`] = templateText(template);
  if (chart.crdsFolder) files["crds/crds.yaml"] = documents(chart.crdsFolder);
  return files;
}

function documents(objects: ManifestModel["objects"]): string {
  return objects.map((object) => `---\n${objectText(object)}`).join("");
}

/** The text of a manifest file. */
export function manifestText(manifest: ManifestModel): string {
  return HEADER + documents(manifest.objects);
}

/** Folder of a chart in a chart directory: the form that the product's `directory` source reads. */
export function chartFolder(chart: Pick<ChartModel, "name" | "version">): string {
  return `${chart.name}-${chart.version.replace(/^v/, "")}`;
}

async function same(root: string, files: ChartFiles): Promise<boolean> {
  const checks = Object.entries(files).map(async ([path, text]) => {
    const found = await readFile(join(root, path), "utf8").catch(() => undefined);
    return found === text;
  });
  return (await Promise.all(checks)).every(Boolean);
}

async function fill(root: string, files: ChartFiles): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}

/**
 * Puts a folder of files in place: built beside its target, then renamed.
 *
 * A reader sees the old chart or the new one, never half of one; a folder that already holds these files is left alone.
 */
export async function writeFolder(target: string, files: ChartFiles): Promise<void> {
  if (await same(target, files)) return;
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  const fresh = await mkdtemp(join(parent, ".stand-in-"));
  const old = `${fresh}.old`;
  try {
    await fill(fresh, files);
    await rename(target, old).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await rename(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

/** Writes one file whole, unless it is already there. */
export async function writeWhole(target: string, text: string): Promise<void> {
  const found = await readFile(target, "utf8").catch(() => undefined);
  if (found === text) return;
  await mkdir(dirname(target), { recursive: true });
  const fresh = `${target}.${process.pid}.tmp`;
  await writeFile(fresh, text);
  await rename(fresh, target);
}
