import { readFile } from "node:fs/promises";
import { join, resolve as resolvePath } from "node:path";
import { chartReference, findEntry } from "../bundle/charts.ts";
import { contentsOfPlan } from "../bundle/contents.ts";
import type { BundleChart, BundleImage, Contents } from "../bundle/contents.ts";
import { NAMES, parseBundleManifest } from "../bundle/manifest.ts";
import { failureProblems } from "../bundle/problems.ts";
import type { Remote } from "../bundle/remote.ts";
import { askRegistries } from "../bundle/verify.ts";
import type { Verdict, Wanted } from "../bundle/verify.ts";
import { PROJECT_ROOT } from "../config/project-root.ts";
import type { Settings } from "../config/schema.ts";
import { formatProblems } from "../problems/problem.ts";
import { RemoteFailure } from "../registry/failure.ts";
import { noStack } from "./bundle-options.ts";
import type { CommonOptions } from "./bundle-options.ts";
import { openRemote, stackAccess } from "./bundle-access.ts";
import { guarded } from "./bundle-guard.ts";
import { runSteps } from "./bundle-steps.ts";
import { lockOf } from "./bundle-lock.ts";
import { findCharts } from "../bundle/chart-folder.ts";
import { ExitCode } from "./exit-code.ts";
import { requireOutsidePlan } from "./stack.ts";

export interface VerifyOptions extends CommonOptions {
  readonly bundle?: string;
  readonly lock?: string;
  readonly required?: boolean;
}

/** `platform bundle verify`: is everything there that `pulumi up` and the nodes will ask for? */
export async function verifyBundle(options: VerifyOptions): Promise<number> {
  const { stack } = options;
  if (stack === undefined) return noStack("bundle verify");
  const outside = await requireOutsidePlan(stack, options.kubernetes);
  if (outside === undefined) return ExitCode.Problems;
  const { plan, settings } = outside;
  const contents = contentsOfPlan(plan, await lockOf(stack, options.lock));
  const digests = await bundleDigests(options.bundle);
  return guarded(PROJECT_ROOT, async (signal) => {
    const context = { ...stackAccess(settings), signal, onRetry: () => undefined };
    const access = await openRemote(options, context);
    if ("problem" in access) {
      process.stderr.write(`${formatProblems([access.problem])}\n`);
      return ExitCode.Problems;
    }
    try {
      const images = contents.images.filter(
        ({ optional }) => options.required !== true || optional === undefined,
      );
      const wanted = images.map((image) => wantedImage(image, digests));
      return report(
        await verdictsOf({ ...access, settings, contents, wanted, jobs: options.jobs }),
      );
    } finally {
      access.remote.close();
    }
  });
}

interface Verify {
  readonly remote: Remote;
  readonly settings: Settings;
  readonly contents: Contents;
  readonly wanted: readonly Wanted[];
  readonly jobs: number;
}

async function verdictsOf(all: Verify): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  await runSteps([
    {
      title: "Ask for every image",
      run: async () => {
        verdicts.push(...(await askRegistries(all.remote, all.wanted, all.jobs)));
        return countText(verdicts);
      },
    },
    {
      title: "Ask for every chart and CRD file",
      run: async () => {
        const found = await chartVerdicts(all);
        verdicts.push(...found);
        return countText(found);
      },
    },
  ]);
  return verdicts;
}

function countText(verdicts: readonly Verdict[]): string {
  const there = verdicts.filter(({ state }) => state === "present").length;
  return `${String(there)} of ${String(verdicts.length)} are there`;
}

/** A tag must mean the digest that nodes ask for, or else what was carried. */
function wantedImage(image: BundleImage, digests: ReadonlyMap<string, string>): Wanted {
  const digest = image.installedDigest ?? image.digest ?? digests.get(image.upstream);
  return {
    kind: "image",
    reference: image.installed,
    usedBy: image.usedBy,
    ...(digest === undefined ? {} : { digest }),
    ...(image.optional === undefined ? {} : { optional: image.optional }),
  };
}

async function bundleDigests(folder: string | undefined): Promise<ReadonlyMap<string, string>> {
  if (folder === undefined) return new Map();
  const text = await readFile(join(resolvePath(folder), NAMES.manifest), "utf8").catch(() => "");
  const manifest = parseBundleManifest(text);
  return new Map(manifest?.images.map(({ upstream, digest }) => [upstream, digest]));
}

async function chartVerdicts({ remote, settings, contents, jobs }: Verify): Promise<Verdict[]> {
  const { charts } = settings;
  const files = contents.manifests.map(({ file }) => file);
  switch (charts.source) {
    case "upstream":
      return [];
    case "directory":
      return [
        ...(await chartsInFolder(contents.charts, charts.path)),
        ...(await filesAt(remote, files, charts.path)),
      ];
    case "oci":
      return [
        ...(await askRegistries(
          remote,
          contents.charts.map((chart) => chartAt(chart, charts.url)),
          jobs,
        )),
        ...(await filesAt(remote, files, charts.manifests)),
      ];
    case "http":
      return [
        ...(await chartsAtAddress(remote, contents.charts, charts.url)),
        ...(await filesAt(remote, files, charts.manifests ?? charts.url)),
      ];
  }
}

function chartAt(chart: BundleChart, repository: string): Wanted {
  const { host, repository: path, tag } = chartReference({ ...chart, repository });
  return { kind: "chart", reference: `${host}/${path}:${tag}`, usedBy: ["pulumi up"] };
}

async function chartsInFolder(charts: readonly BundleChart[], path: string): Promise<Verdict[]> {
  const folder = resolvePath(PROJECT_ROOT, path);
  const found = await findCharts(folder).catch(() => []);
  return charts.map(({ name, version }) => {
    const bare = version.replace(/^v/, "");
    const there = found.some((chart) => chart.name === name && chart.version === bare);
    return verdict("chart", join(path, `${name}-${bare}`), there);
  });
}

async function chartsAtAddress(
  remote: Remote,
  charts: readonly BundleChart[],
  address: string,
): Promise<Verdict[]> {
  const index = await textAt(remote, `${address.replace(/\/+$/, "")}/index.yaml`);
  return charts.map((chart) => {
    const name = `${address} ${chart.name} ${chart.version}`;
    if (typeof index !== "string") return unknown("chart", name, index);
    return verdict("chart", name, findEntry(index, chart) !== undefined);
  });
}

async function filesAt(remote: Remote, files: readonly string[], base: string): Promise<Verdict[]> {
  return Promise.all(
    files.map(async (file) => {
      if (!/^https?:/.test(base)) {
        const path = resolvePath(PROJECT_ROOT, base, file);
        const text = await readFile(path).catch(() => undefined);
        return verdict("file", join(base, file), text !== undefined);
      }
      const address = `${base.replace(/\/+$/, "")}/${file}`;
      const text = await textAt(remote, address);
      if (typeof text === "string") return verdict("file", address, true);
      return text.kind === "missing"
        ? verdict("file", address, false)
        : unknown("file", address, text);
    }),
  );
}

async function textAt(remote: Remote, address: string): Promise<string | RemoteFailure> {
  return remote.text(address).catch((error: unknown) => {
    if (error instanceof RemoteFailure) return error;
    throw error;
  });
}

function verdict(kind: Wanted["kind"], reference: string, there: boolean): Verdict {
  return { kind, reference, usedBy: ["pulumi up"], state: there ? "present" : "missing" };
}

function unknown(kind: Wanted["kind"], reference: string, error: RemoteFailure): Verdict {
  return { kind, reference, usedBy: ["pulumi up"], state: "unknown", detail: error.message, error };
}

function report(verdicts: readonly Verdict[]): number {
  const wrong = verdicts.filter(({ state }) => state !== "present");
  if (wrong.length === 0) {
    process.stdout.write(`All ${String(verdicts.length)} images, charts and files are there.\n`);
    return ExitCode.Fine;
  }
  const failures = wrong.flatMap(({ reference, error }) =>
    error === undefined ? [] : [{ what: reference, error }],
  );
  const absent = wrong.filter(({ error }) => error === undefined);
  process.stdout.write(absent.map(verdictText).join(""));
  if (failures.length > 0) process.stderr.write(`${formatProblems(failureProblems(failures))}\n`);
  process.stderr.write(
    `${String(wrong.length)} of ${String(verdicts.length)} are not as the stack needs them. To do: platform bundle load <folder> --stack <stack>\n`,
  );
  return ExitCode.Problems;
}

function verdictText({ kind, reference, state, detail, usedBy, optional }: Verdict): string {
  const need = optional === undefined ? "always needed" : `only for ${optional.join(", ")}`;
  const what = detail === undefined ? state : `${state}: ${detail}`;
  return `${what} ${kind} ${reference}\n  used by ${usedBy.join("; ")} (${need})\n`;
}
