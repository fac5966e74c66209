import { resolve } from "node:path";
import { Listr } from "listr2";
import pc from "picocolors";
import { planAsTable } from "./plan.ts";
import { imagesAsTable } from "./images.ts";
import { renderTable } from "./table.ts";
import { resolveStack } from "./stack.ts";
import { formatProblems } from "../problems/problem.ts";
import { inventory } from "../sandbox/session/inventory.ts";
import { proveRefusal, refusals } from "../sandbox/session/negative-proof.ts";
import { openSession, openStack, operate } from "../sandbox/session/session.ts";
import type { Session } from "../sandbox/session/session.ts";
import type { PulumiResult } from "../sandbox/session/pulumi.ts";
import { TOOLS } from "../sandbox/toolchain/tools.ts";
import type { ToolProgress } from "../sandbox/toolchain/tools.ts";

export interface UpOptions {
  readonly name: string;
  /** Stack file to install, by stack name or path. */
  readonly stack: string;
  /** Folder of real charts. */
  readonly charts?: string;
  readonly signal: AbortSignal;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Brings the sandbox up and installs the stack on it. Answers whether everything went well. */
export async function sandboxUp(options: UpOptions): Promise<boolean> {
  const started = performance.now();
  const { file, plan, problems } = await resolveStack(
    options.stack,
    TOOLS["kube-apiserver"].version,
  );
  if (problems.length > 0) print(formatProblems(problems, file));
  if (plan === undefined) return false;
  print(pc.bold("What will be installed"));
  print(`${planAsTable(plan)}\n`);
  print(pc.bold("Images (simulated nodes pull none of them)"));
  print(`${imagesAsTable(plan.images.filter((image) => image.optional === undefined))}\n`);
  const session = await withProgress((report) =>
    openSession({
      name: options.name,
      report,
      signal: options.signal,
      ...(options.charts === undefined ? {} : { charts: resolve(options.charts) }),
    }),
  );
  const installed = await install(session, file, options);
  if (installed.code !== 0) return failed("pulumi up", installed);
  const refused = await refuse(session, file);
  summarize(session, options, (performance.now() - started) / 1000);
  return refused;
}

async function install(session: Session, file: string, options: UpOptions): Promise<PulumiResult> {
  await openStack(session, { name: "sandbox", file });
  print(pc.bold("\npulumi up --policy-pack policies"));
  const onOutput = linesWithout(NOISE);
  return operate(
    session,
    { command: "up", stack: "sandbox" },
    { onOutput, signal: options.signal },
  );
}

async function refuse(session: Session, file: string): Promise<boolean> {
  print(
    pc.bold(
      "\nAnd what the policy pack refuses: KServe 0.15.2 with versions outside its row (preview only)",
    ),
  );
  const result = await proveRefusal(session, file);
  print(refusals(result.output).join("\n"));
  print(`pulumi preview ended with exit code ${result.code}; nothing was changed`);
  if (result.code !== 0) return true;
  print(
    pc.red("The policy pack let it pass: that is a fault of this repository, please report it."),
  );
  return false;
}

function summarize(session: Session, options: UpOptions, seconds: number): void {
  const rows = inventory(session).map((row) => [row.part, row.real, row.what]);
  print(pc.bold("\nWhat of this is real"));
  print(renderTable(["PART", "KIND", "WHAT"], rows));
  const flag = options.name === "default" ? "" : ` --name ${options.name}`;
  print(
    `\n${pc.green(`Ready after ${seconds.toFixed(0)} s.`)} Look around and take it down again:`,
  );
  print(`  kubectl --kubeconfig ${session.cluster.kubeconfig} get pods --all-namespaces`);
  print(`  npx platform sandbox status${flag}`);
  print(`  npx platform sandbox down${flag}`);
}

function failed(what: string, result: PulumiResult): boolean {
  print(pc.red(`\n${what} failed with exit code ${result.code}. Its report is above.`));
  print(
    "Run the same command again: it goes on where it stopped. `npx platform sandbox reset` starts afresh.",
  );
  return false;
}

/** What the engine repeats on every line (plugins on PATH, named once at the end) and announces before it is done. */
const NOISE =
  /warning: using pulumi-|^ . .* (?:creating|updating|deleting) \(|^Loading policy packs/;

/** Prints whole lines, except those that match. */
function linesWithout(noise: RegExp): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!noise.test(line)) print(line);
  };
}

/** Shows the long first steps as they go: one line that is rewritten on a terminal, a line now and then elsewhere. */
async function withProgress<T>(
  work: (report: (progress: ToolProgress) => void) => Promise<T>,
): Promise<T> {
  const result: { value?: T } = {};
  const tasks = new Listr(
    [
      {
        title:
          "Bring up the embedded cluster (the first time builds its programs: about ten minutes)",
        task: async (_context, task) => {
          result.value = await work(
            throttled((progress) => (task.output = progressLine(progress))),
          );
        },
        rendererOptions: { persistentOutput: false },
      },
    ],
    {
      renderer: "default",
      fallbackRenderer: "simple",
      fallbackRendererCondition: () => !process.stdout.isTTY,
    },
  );
  await tasks.run();
  return result.value as T;
}

function progressLine(progress: ToolProgress): string {
  const count = progress.total > 1 ? ` ${progress.done}/${progress.total}` : "";
  return `${progress.phase}${count} ${progress.detail}`.trim();
}

/** A terminal takes every report; a log file gets one line per phase and one every fifteen seconds. */
function throttled(send: (progress: ToolProgress) => void): (progress: ToolProgress) => void {
  let last = 0;
  let phase = "";
  return (progress) => {
    const interval = process.stdout.isTTY ? 0 : 15_000;
    if (progress.phase === phase && performance.now() - last < interval) return;
    last = performance.now();
    phase = progress.phase;
    send(progress);
  };
}
