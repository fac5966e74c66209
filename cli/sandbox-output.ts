import { Listr } from "listr2";
import pc from "picocolors";
import { imagesAsTable } from "./images.ts";
import { planAsTable } from "./plan.ts";
import { renderTable } from "./table.ts";
import type { Plan } from "../plan/plan.ts";
import type { InventoryRow } from "../sandbox/session/inventory.ts";
import type { Session } from "../sandbox/session/session.ts";
import type { PulumiResult } from "../sandbox/session/pulumi.ts";
import type { ToolProgress } from "../sandbox/toolchain/tools.ts";

/** One line on standard output. */
export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** The first words of a run: what will be installed, and every image of it below the given heading. */
export function announcePlan(plan: Plan, imagesHeading: string): void {
  print(pc.bold("What will be installed"));
  print(`${planAsTable(plan)}\n`);
  print(pc.bold(imagesHeading));
  print(`${imagesAsTable(plan.images.filter((image) => image.optional === undefined))}\n`);
}

/** The last words of a run: what was real, how long it took, what to do next. */
export function summarize(
  session: Session,
  rows: readonly InventoryRow[],
  { name, seconds }: { readonly name: string; readonly seconds: number },
): void {
  print(pc.bold("\nWhat of this is real"));
  print(
    renderTable(
      ["PART", "KIND", "WHAT"],
      rows.map((row) => [row.part, row.real, row.what]),
    ),
  );
  const flag = name === "default" ? "" : ` --name ${name}`;
  print(
    `\n${pc.green(`Ready after ${seconds.toFixed(0)} s.`)} Look around and take it down again:`,
  );
  print(`  kubectl --kubeconfig ${session.cluster.kubeconfig} get pods --all-namespaces`);
  print(`  npx platform sandbox status${flag}`);
  print(`  npx platform sandbox down${flag}`);
}

/** Says that a command failed, and how to go on. */
export function failed(what: string, result: PulumiResult): boolean {
  print(pc.red(`\n${what} failed with exit code ${result.code}. Its report is above.`));
  print(
    "Run the same command again: it goes on where it stopped. `npx platform sandbox reset` starts afresh.",
  );
  return false;
}

/** What the engine repeats on every line (plugins on PATH, named once at the end) and announces before it is done. */
export const NOISE =
  /warning: using pulumi-|^ . .* (?:creating|updating|deleting) \(|^Loading policy packs/;

/** Prints whole lines, except those that match. */
export function linesWithout(noise: RegExp): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!noise.test(line)) print(line);
  };
}

/** Shows the long first steps as they go: one line that is rewritten on a terminal, a line now and then elsewhere. */
export async function withProgress<T>(
  work: (report: (progress: ToolProgress) => void) => Promise<T>,
): Promise<T> {
  const result: { value?: T } = {};
  const tasks = new Listr(
    [
      {
        title:
          "Bring up the embedded cluster (the first time builds its programs: about a quarter of an hour)",
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
