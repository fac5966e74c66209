import { resolve } from "node:path";
import pc from "picocolors";
import { contentsOfPlan } from "../bundle/contents.ts";
import type { Mode } from "../config/schema.ts";
import { formatProblems } from "../problems/problem.ts";
import {
  closeGap,
  fillGap,
  gapStackFile,
  gapTrace,
  insideGap,
  openGap,
  openGapStack,
  planGap,
  runBundle,
} from "../sandbox/airgap/gap.ts";
import type { Gap, GapStack } from "../sandbox/airgap/gap.ts";
import type { BuiltImages, Filled } from "../sandbox/airgap/fill.ts";
import { FORGOTTEN, proveForgotten } from "../sandbox/airgap/negative-proof.ts";
import { airgapInventory } from "../sandbox/airgap/inventory.ts";
import { imagesFolder, irisModel } from "../sandbox/images/index.ts";
import { cacheFolder } from "../sandbox/paths.ts";
import { shareRegistry } from "../sandbox/real/index.ts";
import { imagesFor } from "../sandbox/session/nodes.ts";
import { predict, prepareModels } from "../sandbox/session/prediction.ts";
import { openSession, operate } from "../sandbox/session/session.ts";
import type { Session } from "../sandbox/session/session.ts";
import { TOOLS } from "../sandbox/toolchain/tools.ts";
import type { ToolProgress } from "../sandbox/toolchain/tools.ts";
import {
  announcePlan,
  failed,
  linesWithout,
  NOISE,
  print,
  summarize,
  withProgress,
} from "./sandbox-output.ts";
import { requireOutsidePlan, resolveStack, stackFile } from "./stack.ts";
import { renderTable } from "./table.ts";

export interface AirgapOptions {
  readonly name: string;
  /** Stack file to install, by stack name or path. */
  readonly stack: string;
  readonly mode?: Mode;
  /** Folder of real charts. */
  readonly charts?: string;
  /** A bundle to load before stand-ins fill up what it does not hold. */
  readonly bundle?: string;
  /** Pods are containers: images are built, and a model answers at the end. @default false */
  readonly real?: boolean;
  readonly signal: AbortSignal;
}

/** One run, once everything is up. */
interface Run {
  readonly options: AirgapOptions;
  readonly session: Session;
  readonly gap: Gap;
  readonly stack: GapStack;
  readonly filled: Filled;
}

/** Stack of the sandbox's project; the same as without a gap, so that one can follow the other. */
const STACK = "sandbox";
const KUBERNETES = TOOLS["kube-apiserver"].version;

/** Brings the sandbox up with a registry beside it and installs a stack from there. Answers whether all went well. */
export async function sandboxUpAirgap(options: AirgapOptions): Promise<boolean> {
  const started = performance.now();
  const stack: GapStack = { file: stackFile(options.stack), mode: options.mode };
  const given = await resolveStack(options.stack, KUBERNETES);
  if (given.plan === undefined) {
    print(formatProblems(given.problems, stack.file));
    return false;
  }
  const planned = await planGap(options.name);
  const bound = await gapStackFile(planned, stack);
  if (!(await announce(bound))) return false;
  const { session, gap, built } = await withProgress(async (report) => {
    const { name, signal } = options;
    const charts = options.charts === undefined ? {} : { charts: resolve(options.charts) };
    const nodes = options.real === true ? "real" : "simulated";
    const opened = await openSession({ name, nodes, report, signal, ...charts });
    const inside = await openGap(planned, report, signal);
    return {
      session: opened,
      gap: inside,
      built: await furnish(opened, inside, { options, bound, report }),
    };
  });
  try {
    const filled = await fill(gap, { options, session, bound, built });
    if (filled === undefined) return false;
    return await inside(
      { options, session: await insideGap(session, gap), gap, stack, filled },
      started,
    );
  } finally {
    await closeGap(gap);
  }
}

/** What real pods need besides: a node that knows the registry, and images with something in them. */
async function furnish(
  session: Session,
  gap: Gap,
  run: {
    readonly options: AirgapOptions;
    readonly bound: string;
    readonly report: (progress: ToolProgress) => void;
  },
): Promise<BuiltImages | undefined> {
  if (session.nodes === "simulated") return undefined;
  const { name, signal } = run.options;
  const { host, certificates } = gap.registry;
  await shareRegistry({ name, host, caFile: certificates.ca, signal });
  const outside = await requireOutsidePlan(run.bound, KUBERNETES);
  const wanted = outside === undefined ? [] : contentsOfPlan(outside.plan).images;
  const { report } = run;
  const images = await imagesFor(
    wanted.map(({ upstream }) => upstream),
    { name, report, signal },
  );
  return { folder: imagesFolder(cacheFolder()), images };
}

async function announce(bound: string): Promise<boolean> {
  const { plan, problems } = await resolveStack(bound, KUBERNETES);
  if (problems.length > 0) print(formatProblems(problems, bound));
  if (plan === undefined) return false;
  announcePlan(plan, "Images, under the names of the sandbox's registry");
  return true;
}

async function fill(
  gap: Gap,
  all: {
    readonly options: AirgapOptions;
    readonly session: Session;
    readonly bound: string;
    readonly built: BuiltImages | undefined;
  },
): Promise<Filled | undefined> {
  const { options, session, bound, built } = all;
  const { signal } = options;
  const bundle = options.bundle === undefined ? undefined : resolve(options.bundle);
  if (bundle !== undefined) {
    print(pc.bold(`\nplatform bundle load ${bundle}`));
    const args = ["load", bundle, "--stack", bound, "--kubernetes", KUBERNETES];
    const loaded = await runBundle(gap, args, { onOutput: write, signal });
    if (loaded.code !== 0) return undefined;
  }
  const outside = await requireOutsidePlan(bound, KUBERNETES);
  if (outside === undefined) return undefined;
  const contents = contentsOfPlan(outside.plan);
  const charts = session.charts.path;
  const filled = await fillGap(gap, { contents, charts, bundle, built, signal });
  const { real, server, standIn } = filled.images;
  const ours = filled.images.built + server;
  print(
    `\nThe registry ${gap.registry.host} holds ${String(filled.charts)} charts, ${String(real)} images, ${String(ours)} images built here and ${String(standIn)} stand-ins of images.`,
  );
  const pinned = Object.keys(filled.pinned).length;
  if (pinned > 0)
    print(
      `${String(pinned)} images are pinned by digests that no stand-in can have: the stack pins the stand-ins (registry.images).`,
    );
  return filled;
}

/** From here on nothing has a way out. */
async function inside(run: Run, started: number): Promise<boolean> {
  const { options, session, gap, filled } = run;
  const steps = [verify, install, ...(session.nodes === "real" ? [showPredictions] : []), refuse];
  for (const step of steps) if (!(await step(run))) return false;
  const alone = await showTrace(gap);
  const seconds = (performance.now() - started) / 1000;
  summarize(session, airgapInventory(session, gap, filled), { name: options.name, seconds });
  return alone;
}

async function verify({ gap, stack, filled, options }: Run): Promise<boolean> {
  print(pc.bold("\nplatform bundle verify"));
  const file = await gapStackFile(gap, stack, filled.pinned);
  const args = ["verify", "--stack", file, "--kubernetes", KUBERNETES];
  return (await runBundle(gap, args, { onOutput: write, signal: options.signal })).code === 0;
}

async function install({ session, gap, stack, filled, options }: Run): Promise<boolean> {
  const images = filled.pinned;
  if (session.nodes === "real") await prepareModels(session);
  await openGapStack(session, gap, { ...stack, name: STACK }, { images });
  print(pc.bold("\npulumi up --policy-pack policies"));
  const onOutput = linesWithout(NOISE);
  const { signal } = options;
  const result = await operate(session, { command: "up", stack: STACK }, { onOutput, signal });
  return result.code === 0 || failed("pulumi up", result);
}

/** A model answers through the gateway, or the installation is worth nothing. */
async function showPredictions({ session, options }: Run): Promise<boolean> {
  print(pc.bold("\nAn InferenceService, and what it answers from outside the cluster"));
  const { signal } = options;
  const model = await irisModel({ report: () => undefined, signal });
  const predictions = await predict(session, { model, signal, tell: print });
  const rows = predictions.map(({ url, protocol, answer, expected, milliseconds }) => [
    url,
    protocol,
    JSON.stringify(answer),
    JSON.stringify(expected),
    `${String(milliseconds)} ms`,
  ]);
  print(renderTable(["URL", "PROTOCOL", "ANSWER", "EXPECTED", "AFTER"], rows));
  const wrong = predictions.filter(
    ({ answer, expected }) => JSON.stringify(answer) !== JSON.stringify(expected),
  );
  if (wrong.length === 0) return true;
  print(pc.red("A prediction is wrong: that is a fault of this repository, please report it."));
  return false;
}

async function refuse({ session, gap, stack, filled }: Run): Promise<boolean> {
  print(pc.bold(`\nAnd what a preview says when ${FORGOTTEN.image} is not moved`));
  const result = await proveForgotten(session, gap, { ...stack, images: filled.pinned });
  const named = result.output.split("\n").filter((line) => line.includes(FORGOTTEN.image));
  print([...new Set(named.map((line) => line.trim()))].join("\n"));
  print(`pulumi preview ended with exit code ${String(result.code)}; nothing was changed`);
  if (result.code !== 0 && named.length > 0) return true;
  print(
    pc.red("It was not refused by name: that is a fault of this repository, please report it."),
  );
  return false;
}

/** True when nobody wanted to go anywhere but to the registry. */
async function showTrace(gap: Gap): Promise<boolean> {
  const rows = await gapTrace(gap);
  const refused = rows.filter(({ answer }) => answer === "refused");
  const cells = rows.map(({ by, to, requests, answer }) => [by, to, String(requests), answer]);
  print(pc.bold("\nWho asked whom: all of platform bundle verify, pulumi up and preview"));
  print(
    renderTable(
      ["BY", "TO", "REQUESTS", ""],
      refused.length > 0 ? cells : [...cells, ["anybody", "any other host", "none", ""]],
    ),
  );
  if (refused.length === 0) return true;
  print(pc.red("Something wanted to leave the air gap and was refused."));
  return false;
}

function write(text: string): void {
  process.stdout.write(text);
}
