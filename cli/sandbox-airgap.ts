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
import type { Filled } from "../sandbox/airgap/fill.ts";
import { FORGOTTEN, proveForgotten } from "../sandbox/airgap/negative-proof.ts";
import { airgapInventory } from "../sandbox/airgap/inventory.ts";
import { openSession, operate } from "../sandbox/session/session.ts";
import type { Session } from "../sandbox/session/session.ts";
import { TOOLS } from "../sandbox/toolchain/tools.ts";
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
  const { session, gap } = await withProgress(async (report) => {
    const { name, signal } = options;
    const charts = options.charts === undefined ? {} : { charts: resolve(options.charts) };
    const opened = await openSession({ name, report, signal, ...charts });
    return { session: opened, gap: await openGap(planned, report, signal) };
  });
  try {
    const filled = await fill(gap, { options, session, bound });
    if (filled === undefined) return false;
    return await inside({ options, session: insideGap(session, gap), gap, stack, filled }, started);
  } finally {
    await closeGap(gap);
  }
}

async function announce(bound: string): Promise<boolean> {
  const { plan, problems } = await resolveStack(bound, KUBERNETES);
  if (problems.length > 0) print(formatProblems(problems, bound));
  if (plan === undefined) return false;
  announcePlan(
    plan,
    "Images, under the names of the sandbox's registry (simulated nodes pull none)",
  );
  return true;
}

async function fill(
  gap: Gap,
  all: { readonly options: AirgapOptions; readonly session: Session; readonly bound: string },
): Promise<Filled | undefined> {
  const { options, session, bound } = all;
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
  const filled = await fillGap(gap, { contents, charts: session.charts.path, bundle, signal });
  const { real, built, server, standIn } = filled.images;
  print(
    `\nThe registry ${gap.registry.host} holds ${String(filled.charts)} charts, ${String(real)} images, ${String(built + server)} images built here and ${String(standIn)} stand-ins of images.`,
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
  const steps = [verify, install, refuse];
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
  await openGapStack(session, gap, { ...stack, name: STACK }, { images });
  print(pc.bold("\npulumi up --policy-pack policies"));
  const onOutput = linesWithout(NOISE);
  const { signal } = options;
  const result = await operate(session, { command: "up", stack: STACK }, { onOutput, signal });
  return result.code === 0 || failed("pulumi up", result);
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
