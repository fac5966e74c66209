import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve as resolvePath } from "node:path";
import { Bundler } from "../bundle/bundler.ts";
import { ChartSource } from "../bundle/charts.ts";
import { contentsOfCatalog, contentsOfPlan } from "../bundle/contents.ts";
import type { Contents } from "../bundle/contents.ts";
import { hashFile } from "../bundle/download.ts";
import { finishBundle } from "../bundle/finish.ts";
import type { FormTarget } from "../bundle/forms.ts";
import { NAMES } from "../bundle/manifest.ts";
import { MODEL, modelFile } from "../bundle/model.ts";
import { BUNDLE_LOCK, bundleLock, takeFromCache } from "../bundle/packages.ts";
import type { PackageFile } from "../bundle/packages.ts";
import { failureProblems } from "../bundle/problems.ts";
import type { Remote } from "../bundle/remote.ts";
import { writeWhole } from "../bundle/store.ts";
import { fetchTool } from "../bundle/tools.ts";
import type { ToolFile } from "../bundle/tools.ts";
import { imageTotals } from "../bundle/totals.ts";
import type { Settings } from "../config/schema.ts";
import { formatProblems } from "../problems/problem.ts";
import { RemoteFailure } from "../registry/failure.ts";
import { loadCatalog } from "../versions/catalog.ts";
import { noStack } from "./bundle-options.ts";
import type { CommonOptions, Part } from "./bundle-options.ts";
import { openRemote } from "./bundle-access.ts";
import { lockOf } from "./bundle-lock.ts";
import { guarded } from "./bundle-guard.ts";
import { formatBytes, runSteps } from "./bundle-steps.ts";
import type { Report, Step } from "./bundle-steps.ts";
import { summary } from "./bundle-summary.ts";
import { fillNpmCache, lockText, packageFiles, toolFiles } from "./bundle-tools.ts";
import type { Architecture } from "./bundle-tools.ts";
import { findCharts } from "../bundle/chart-folder.ts";
import { ExitCode } from "./exit-code.ts";
import { requireOutsidePlan } from "./stack.ts";

export interface MakeOptions extends CommonOptions {
  readonly allReleases?: boolean;
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly parts: readonly Part[];
  readonly via?: string;
  readonly charts?: string;
  readonly lock?: string;
  readonly arch: Architecture;
}

interface Make {
  readonly options: MakeOptions;
  readonly folder: string;
  readonly contents: Contents;
  readonly target: FormTarget;
  readonly tools: readonly ToolFile[];
  readonly packages: readonly PackageFile[];
  readonly remote: Remote;
  readonly bundler: Bundler;
  readonly signal: AbortSignal;
  /** The report of the step that runs. */
  readonly progress: { report: Report };
}

/** `platform bundle`: everything to carry, in one folder. */
export async function makeBundle(options: MakeOptions): Promise<number> {
  if (options.stack === undefined && options.allReleases !== true) return noStack("bundle");
  if (options.out === undefined && options.dryRun !== true) return noFolder();
  const wanted = await contentsOf(options);
  if (wanted === undefined) return ExitCode.Problems;
  const folder = resolvePath(options.out ?? ".");
  return guarded(folder, async (signal) => {
    const progress = { report: (_text: string): void => undefined };
    const access = await openRemote(options, {
      host: options.via?.split("/", 1)[0],
      via: options.via,
      signal,
      onRetry: (text) => progress.report(text),
    });
    if ("problem" in access) return complain(formatProblems([access.problem]));
    const { remote } = access;
    try {
      const bundler = await Bundler.open({
        folder,
        remote,
        jobs: options.jobs,
        dryRun: options.dryRun === true,
        report: (text) => progress.report(text),
      });
      const tools = options.parts.includes("tools") ? await toolFiles(options.arch) : [];
      const packages = options.parts.includes("packages") ? await packageFiles(options.arch) : [];
      const all = {
        options,
        folder,
        ...wanted,
        tools,
        packages,
        remote,
        bundler,
        signal,
        progress,
      };
      return await (options.dryRun === true ? dryRun(all) : copyAll(all));
    } finally {
      remote.close();
    }
  });
}

async function contentsOf(
  options: MakeOptions,
): Promise<{ readonly contents: Contents; readonly target: FormTarget } | undefined> {
  const { stack, parts } = options;
  if (stack === undefined)
    return { contents: chosen(contentsOfCatalog(loadCatalog()), parts), target: {} };
  const outside = await requireOutsidePlan(stack, options.kubernetes);
  if (outside === undefined) return undefined;
  const { plan, settings } = outside;
  const contents = contentsOfPlan(plan, await lockOf(stack, options.lock));
  return { contents: chosen(contents, parts), target: targetOf(settings) };
}

function chosen(contents: Contents, parts: readonly Part[]): Contents {
  return {
    ...contents,
    ...(parts.includes("images") ? {} : { images: [] }),
    ...(parts.includes("charts") ? {} : { charts: [], manifests: [] }),
  };
}

function targetOf({ registry, charts }: Settings): FormTarget {
  return { registry: registry?.host, charts: charts.source === "oci" ? charts.url : undefined };
}

async function dryRun(make: Make): Promise<number> {
  const { bundler, contents } = make;
  await runSteps([resolveStep(make)]);
  process.stdout.write(summary(make));
  const reasons = failureProblems(bundler.failures).map(({ found }) => `  ${found}\n`);
  if (reasons.length > 0)
    process.stdout.write(
      `Sizes of ${String(bundler.failures.length)} of ${String(contents.images.length)} images are unknown:\n${reasons.join("")}`,
    );
  return ExitCode.Fine;
}

async function copyAll(make: Make): Promise<number> {
  const { bundler, folder, contents, tools, packages, target, options } = make;
  await mkdir(folder, { recursive: true });
  const asked = (part: Part): boolean => options.parts.includes(part);
  await runSteps([
    ...(asked("images") ? [resolveStep(make), imageStep(make)] : []),
    ...(asked("charts") ? [chartStep(make)] : []),
    ...(asked("tools") ? [toolStep(make)] : []),
    ...(asked("packages") ? [packageStep(make)] : []),
    ...(asked("model") ? [modelStep(make)] : []),
  ]);
  if (bundler.failures.length > 0) return incomplete(make);
  const models = asked("model") ? [MODEL] : [];
  const parts = { folder, contents, tools, packages, models, parts: options.parts, target };
  const { totals } = await finishBundle(bundler, parts);
  process.stdout.write(summary(make));
  process.stdout.write(
    `Complete in ${folder}: ${formatBytes(totals.imageBytes + totals.fileBytes)}. Carry the whole folder, then inside the gap:\n` +
      `  npx platform bundle load <folder> --stack ${options.stack ?? "<stack>"}\n` +
      `The same with skopeo, hauler and helm: ${NAMES.commands}\n`,
  );
  return ExitCode.Fine;
}

function incomplete({ bundler, options }: Make): number {
  process.stderr.write(`${formatProblems(failureProblems(bundler.failures))}\n\n`);
  process.stderr.write(
    `Not complete: ${String(bundler.failures.length)} things are missing, so no ${NAMES.manifest} was written. Run the same command again` +
      `${options.out === undefined ? "" : " with the same --out"}; what is there is not fetched twice.\n`,
  );
  return ExitCode.Problems;
}

function resolveStep({ bundler, contents, progress }: Make): Step {
  return {
    title: "Ask registries what the images consist of",
    run: async (report) => {
      progress.report = report;
      await bundler.resolveImages(contents);
      const { images, bytes } = imageTotals(bundler.resolved);
      return `${String(images)} of ${String(contents.images.length)} images, ${formatBytes(bytes)}`;
    },
  };
}

function imageStep({ bundler, progress }: Make): Step {
  return {
    title: "Fetch layers",
    run: async (report) => {
      progress.report = report;
      const fetched = await bundler.copyImages();
      return `${String(fetched.blobs)} fetched (${formatBytes(fetched.bytes)}), the others were there`;
    },
  };
}

function chartStep({ bundler, contents, options, remote, progress }: Make): Step {
  return {
    title: "Fetch charts and CRD files",
    run: async (report) => {
      progress.report = report;
      const folder = options.charts === undefined ? undefined : resolvePath(options.charts);
      const source = new ChartSource(
        remote,
        folder === undefined ? undefined : await findCharts(folder),
      );
      const below = <T extends { readonly file: string }>(item: T): T => ({
        ...item,
        file: `${NAMES.charts}/${item.file}`,
      });
      await bundler.bringAll(contents.charts.map(below), (chart, path) =>
        source.bring(chart, path),
      );
      await bundler.bringAll(contents.manifests.map(below), async ({ file, url }, path) =>
        folder === undefined
          ? bundler.fetchFile(url, path)
          : copyLocal(join(folder, file.slice(NAMES.charts.length + 1)), path),
      );
      return undefined;
    },
  };
}

async function copyLocal(source: string, path: string): ReturnType<typeof hashFile> {
  const content = await readFile(source).catch(() => undefined);
  if (content === undefined) throw new RemoteFailure("missing", "charts", `no file ${source}`);
  await writeWhole(path, content);
  return hashFile(path);
}

function toolStep({ bundler, tools, remote, progress }: Make): Step {
  return {
    title: "Fetch the tool chain",
    run: async (report) => {
      progress.report = report;
      await bundler.bringAll(tools, (tool, path) => fetchTool(remote, tool, path));
      return undefined;
    },
  };
}

function packageStep({ bundler, packages, folder, options, signal, progress }: Make): Step {
  return {
    title: "Fetch npm packages",
    run: async (report) => {
      progress.report = report;
      let cache: Promise<string> | undefined;
      try {
        await bundler.bringAll(packages, async (item, path) => {
          cache ??= fillNpmCache(folder, options.arch, signal);
          return takeFromCache(await cache, item, path);
        });
      } finally {
        await rm(join(folder, ".npm"), { recursive: true, force: true });
      }
      await bundler.write(BUNDLE_LOCK, bundleLock(await lockText(), packages));
      return `${String(packages.length)} archives`;
    },
  };
}

function modelStep({ bundler, progress }: Make): Step {
  return {
    title: "Write the smoke-test model",
    run: async (report) => {
      progress.report = report;
      await bundler.write(MODEL.file, modelFile());
      return undefined;
    },
  };
}

function noFolder(): number {
  process.stderr.write(
    "[bundle-folder] --out\n  found:   none\n  allowed: a folder for the bundle\n  to do:   platform bundle --stack <stack> --out <folder>, or --dry-run\n",
  );
  return ExitCode.WrongUse;
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return ExitCode.Problems;
}
