import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { PROJECT_ROOT } from "../config/project-root.ts";
import type { Settings } from "../config/schema.ts";
import type { Plan, PlannedManifest } from "../plan/plan.ts";
import type { Problem } from "../problems/problem.ts";
import { StackError } from "../problems/run-error.ts";
import type { FetchAccess } from "./fetch-text.ts";

/** Milliseconds for one download; the largest file in the catalog has about one megabyte. */
const TIMEOUT = 60_000;

/** Texts of the published files of manifests that a plan needs, by file name. A missing one ends the run. */
export async function loadManifests(plan: Plan): Promise<ReadonlyMap<string, string>> {
  const files = plan.layers.flatMap((layer) => layer.manifests);
  return new Map(
    await Promise.all(
      files.map(async (file) => [file.file, await load(file, plan.settings.charts)] as const),
    ),
  );
}

/** From an http(s) address, or from a path that starts at the program's folder. */
async function load(
  { file, location }: PlannedManifest,
  charts: Settings["charts"],
): Promise<string> {
  try {
    if (!/^https?:/.test(location)) return await readFile(resolve(PROJECT_ROOT, location), "utf8");
    const access = await accessTo(location, charts);
    if (access !== undefined) {
      // Loaded where it is used: `import` of node:http reads every export, one of which loads undici, 30 ms in every run.
      const { fetchText } = await import("./fetch-text.ts");
      return await fetchText(location, access);
    }
    const response = await fetch(location, { signal: AbortSignal.timeout(TIMEOUT) });
    if (!response.ok) throw new Error(`HTTP ${String(response.status)} ${response.statusText}`);
    return await response.text();
  } catch (error) {
    throw new StackError([missing(file, location, error as Error)]);
  }
}

/**
 * The chart source's CA counts for its files, too, its credentials only on the same host. `undefined` where there is
 * neither.
 */
async function accessTo(
  location: string,
  charts: Settings["charts"],
): Promise<FetchAccess | undefined> {
  if (charts.source !== "oci" && charts.source !== "http") return undefined;
  const { url, username, password, caFile } = charts;
  const ca =
    caFile === undefined ? undefined : await readFile(resolve(PROJECT_ROOT, caFile), "utf8");
  const isOurs = new URL(url.replace(/^oci:/, "https:")).host === new URL(location).host;
  const login =
    isOurs && username !== undefined && password !== undefined
      ? { username, password: password.reveal() }
      : undefined;
  if (ca === undefined && login === undefined) return undefined;
  return { timeout: TIMEOUT, ...(ca === undefined ? {} : { ca }), ...login };
}

function missing(file: string, location: string, error: Error): Problem {
  const cause = (error.cause as Error | undefined)?.message;
  return {
    code: "crds-file-missing",
    level: "block",
    where: "kserve:charts",
    found: `${location}: ${error.message}${cause === undefined ? "" : ` (${cause})`}`,
    allowed: `a file ${file} that can be read from here`,
    fix: "check the chart source (npx platform plan <stack>), or carry the file in with the charts",
  };
}
