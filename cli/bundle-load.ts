import { readFile } from "node:fs/promises";
import { join, resolve as resolvePath } from "node:path";
import { contentsOfPlan } from "../bundle/contents.ts";
import type { BundleImage } from "../bundle/contents.ts";
import { chartReference } from "../bundle/charts.ts";
import { damagedFiles, Loader } from "../bundle/load.ts";
import type { Moved } from "../bundle/load.ts";
import { NAMES, parseBundleManifest } from "../bundle/manifest.ts";
import type { BundleManifest, ManifestImage } from "../bundle/manifest.ts";
import { eachOf } from "../bundle/pool.ts";
import { failureProblems } from "../bundle/problems.ts";
import type { FailedThing } from "../bundle/problems.ts";
import type { Remote } from "../bundle/remote.ts";
import { PROJECT_ROOT } from "../config/project-root.ts";
import { mirror } from "../images/mirror.ts";
import { releaseChartIsFile } from "../plan/charts.ts";
import { parseReference } from "../images/reference.ts";
import type { ImageReference } from "../images/reference.ts";
import type { Problem } from "../problems/problem.ts";
import { formatProblems } from "../problems/problem.ts";
import { RemoteFailure } from "../registry/failure.ts";
import { noStack } from "./bundle-options.ts";
import type { CommonOptions } from "./bundle-options.ts";
import { openRemote, stackAccess } from "./bundle-access.ts";
import { guarded } from "./bundle-guard.ts";
import { runSteps } from "./bundle-steps.ts";
import type { Report, Step } from "./bundle-steps.ts";
import { ExitCode } from "./exit-code.ts";
import { requireOutsidePlan } from "./stack.ts";
import type { OutsidePlan } from "./stack.ts";

interface Load {
  readonly folder: string;
  readonly manifest: BundleManifest;
  readonly outside: OutsidePlan;
  readonly loader: Loader;
  readonly remote: Remote;
  readonly jobs: number;
  readonly failures: FailedThing[];
  /** Things that were not done, or that somebody has to do by hand. */
  readonly byHand: string[];
  readonly progress: { report: Report };
}

interface ImageTask {
  readonly image: ManifestImage;
  readonly target: ImageReference;
}

/** `platform bundle load`: what a bundle holds, sent to where a stack takes it from. */
export async function loadBundle(bundle: string, options: CommonOptions): Promise<number> {
  if (options.stack === undefined) return noStack("bundle load <folder>");
  const folder = resolvePath(bundle);
  const text = await readFile(join(folder, NAMES.manifest), "utf8").catch(() => "");
  const manifest = parseBundleManifest(text);
  if (manifest === undefined) return complain([notABundle(folder)]);
  const outside = await requireOutsidePlan(options.stack, options.kubernetes);
  if (outside === undefined) return ExitCode.Problems;
  return guarded(folder, async (signal) => {
    const progress = { report: (_text: string): void => undefined };
    const onRetry = (message: string): void => progress.report(message);
    const context = { ...stackAccess(outside.settings), signal, onRetry };
    const access = await openRemote(options, context);
    if ("problem" in access) return complain([access.problem]);
    const { remote } = access;
    const loader = new Loader(folder);
    const lists = { failures: [], byHand: [] };
    const { jobs } = options;
    try {
      return await load({ folder, manifest, outside, loader, remote, jobs, progress, ...lists });
    } finally {
      remote.close();
    }
  });
}

async function load(all: Load): Promise<number> {
  const problems: Problem[] = [];
  await runSteps([
    {
      title: "Check the bundle's checksums",
      run: async (report) => {
        const damaged = await damagedFiles(all.folder, all.jobs, report);
        if (damaged === undefined) problems.push(notABundle(all.folder));
        else if (damaged.length > 0) problems.push(damagedBundle(all.folder, damaged));
        return damaged?.length === 0 ? "whole" : "damaged";
      },
    },
  ]);
  if (problems.length > 0) return complain(problems);
  await runSteps([...imageSteps(all), chartStep(all)]);
  const found = [...failureProblems(all.failures), ...notInBundle(all)];
  all.byHand.push(...modelAdvice(all));
  for (const line of all.byHand) process.stdout.write(`not done here: ${line}\n`);
  if (found.length > 0) return complain(found);
  process.stdout.write(
    `Loaded. Before pulumi up: npx platform bundle verify --stack <stack> --bundle ${all.folder}\n`,
  );
  return ExitCode.Fine;
}

function imageSteps(all: Load): Step[] {
  const { outside, manifest, remote, loader, progress, jobs } = all;
  if (outside.plan.mirror === undefined) {
    all.byHand.push("the stack names no registry (kserve:registry.host): no image was sent");
    return [];
  }
  // A layout that fetches by itself takes no push.
  if (outside.plan.mirror.layout === "proxy-cache") {
    all.byHand.push("proxy-cache projects fetch from upstream and take no images: none was sent");
    return [];
  }
  const tasks = imageTasks(manifest, outside);
  const run = async (report: Report): Promise<string> => {
    progress.report = report;
    const counts = newCounts();
    await eachOf(tasks, jobs, async ({ image, target }) => {
      await collect(all.failures, image.upstream, async () => {
        const registry = remote.registry(target.host);
        count(counts, await loader.pushImage(registry, image.digest, target));
      });
      report(`${String(counts.sent + counts.present)} of ${String(tasks.length)} images`);
    });
    return countText(counts);
  };
  return [{ title: `Send images to ${outside.plan.mirror.host}`, run }];
}

/** The names that this stack installs from; images that stay where they are (exempt) are left out. */
function imageTasks({ images }: BundleManifest, { plan }: OutsidePlan): ImageTask[] {
  const { mirror: layout } = plan;
  const installed = new Map(
    contentsOfPlan(plan).images.map((image) => [image.upstream, image.installed]),
  );
  return images.flatMap((image) => {
    const upstream = parseReference(image.upstream);
    if (upstream === undefined || layout === undefined) return [];
    const planned = installed.get(image.upstream);
    const target = planned === undefined ? mirror(upstream, layout) : parseReference(planned);
    return target === undefined || target.host !== layout.host ? [] : [{ image, target }];
  });
}

function chartStep(all: Load): Step {
  const { outside, manifest, progress, failures } = all;
  const counts = newCounts();
  const { charts } = outside.settings;
  const place = async (
    files: readonly { readonly file: string }[],
    folder: string,
  ): Promise<void> => {
    for (const { file } of files)
      await collect(failures, file, async () => {
        count(counts, await all.loader.placeFile(file, resolvePath(PROJECT_ROOT, folder)));
      });
  };
  const run = async (report: Report): Promise<string> => {
    progress.report = report;
    if (charts.source === "directory")
      await place([...manifest.charts, ...manifest.manifests], charts.path);
    else if (charts.source === "oci") {
      await pushCharts(all, charts.url, counts);
      if (isAddress(charts.manifests))
        all.byHand.push(upload(manifest.manifests, charts.manifests));
      else await place([...manifest.manifests, ...releaseCharts(all)], charts.manifests);
    } else if (charts.source === "http") {
      all.byHand.push(upload([...manifest.charts, ...manifest.manifests], charts.url));
    } else all.byHand.push("the stack takes its charts from upstream: none was sent");
    return countText(counts);
  };
  return { title: "Send charts and CRD files", run };
}

/** The chart of cert-manager's release, where its package cannot ask the registry. */
function releaseCharts({ manifest, outside }: Load): readonly { readonly file: string }[] {
  return releaseChartIsFile(outside.settings.charts)
    ? manifest.charts.filter(({ name }) => name === "cert-manager")
    : [];
}

async function pushCharts(
  { manifest, loader, remote, failures }: Load,
  repository: string,
  counts: Counts,
): Promise<void> {
  for (const chart of manifest.charts)
    await collect(failures, chart.file, async () => {
      const target = chartReference({ ...chart, repository });
      count(counts, await loader.pushChart(remote.registry(target.host), chart.file, target));
    });
}

async function collect(
  failures: FailedThing[],
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RemoteFailure)) throw error;
    failures.push({ what, error });
  }
}

type Counts = Record<Moved, number>;

const newCounts = (): Counts => ({ sent: 0, present: 0 });

function count(counts: Counts, moved: Moved): void {
  counts[moved] += 1;
}

function countText({ sent, present }: Counts): string {
  return `${String(sent)} sent, ${String(present)} were there`;
}

function upload(files: readonly { readonly file: string }[], address: string): string {
  return `upload ${files.map(({ file }) => file).join(", ")} to ${address} (an HTTP repository has no common way to be written)`;
}

/** A volume can only be written from inside the cluster. */
function modelAdvice({ manifest, outside }: Load): string[] {
  if (outside.settings.storage === undefined) return [];
  return manifest.models.map(
    ({ file, storage }) =>
      `copy ${file} to ${storage} once the volume is there, by kubectl cp through a pod that mounts it`,
  );
}

function isAddress(text: string): boolean {
  return /^https?:/.test(text);
}

/** What the stack needs and the bundle does not hold: it was made from another stack file or catalog. */
function notInBundle({ manifest, outside }: Load): Problem[] {
  const held = new Map(manifest.images.map((image) => [image.upstream, image.digest]));
  const lacks = (image: BundleImage): boolean => {
    const digest = held.get(image.upstream);
    return digest === undefined || (image.digest !== undefined && image.digest !== digest);
  };
  const needed = contentsOfPlan(outside.plan);
  // Parts that were left out on purpose are carried in some other way.
  const judged = manifest.parts.includes("images") && outside.plan.mirror !== undefined;
  const images = judged ? needed.images.filter(lacks).map(({ upstream }) => upstream) : [];
  const files = new Set(manifest.charts.map(({ file }) => file));
  const charts = manifest.parts.includes("charts")
    ? needed.charts
        .filter(({ file }) => !files.has(`${NAMES.charts}/${file}`))
        .map(({ file }) => file)
    : [];
  const missing = [...images, ...charts];
  if (missing.length === 0) return [];
  return [
    {
      code: "bundle-load-incomplete",
      level: "block",
      where: NAMES.manifest,
      found: `the stack also needs ${missing.join(", ")}`,
      allowed: "a bundle made from this stack file with this version of the program",
      fix: "make the bundle again outside the gap: platform bundle --stack <stack> --out <folder>",
    },
  ];
}

function notABundle(folder: string): Problem {
  return {
    code: "bundle-not-whole",
    level: "block",
    where: folder,
    found: `no ${NAMES.manifest}, or not one that this program wrote, or no ${NAMES.checksums}`,
    allowed: `a folder that \`platform bundle\` finished: ${NAMES.manifest} is what it writes last`,
    fix: "let platform bundle finish, and carry the whole folder",
  };
}

function damagedBundle(folder: string, damaged: readonly string[]): Problem {
  const shown = damaged.slice(0, 10).join(", ");
  const more = damaged.length > 10 ? ` and ${String(damaged.length - 10)} more` : "";
  return {
    code: "bundle-checksum",
    level: "block",
    where: folder,
    found: `${shown}${more}`,
    allowed: `every file as ${NAMES.checksums} says; nothing was sent`,
    fix: "carry these files again",
  };
}

function complain(problems: readonly Problem[]): number {
  process.stderr.write(`${formatProblems(problems)}\n`);
  return ExitCode.Problems;
}
