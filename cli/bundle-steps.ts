import { Listr } from "listr2";

/** Shows what a step is doing. */
export type Report = (text: string) => void;

/** One step of a command that takes long. */
export interface Step {
  readonly title: string;
  /** Gives what to add to the title when it is done. */
  readonly run: (report: Report) => Promise<string | undefined>;
}

/** Milliseconds between two reports of a step where each becomes a line of its own. */
const LOG_INTERVAL = 15_000;

/** Runs steps one after another with their progress: rewritten lines on a terminal, few lines in a log. */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  const tasks = new Listr(
    steps.map(({ title, run }) => ({
      title,
      task: async (_context: unknown, task: { output: string; title: string }) => {
        const result = await run(throttled((text) => (task.output = text)));
        if (result !== undefined) task.title = `${title}: ${result}`;
      },
      rendererOptions: { persistentOutput: false },
    })),
    {
      renderer: "default",
      fallbackRenderer: "simple",
      fallbackRendererCondition: () => !process.stdout.isTTY,
      // The caller turns what was thrown into a report, once.
      rendererOptions: { showErrorMessage: false, collapseErrors: true },
      registerSignalListeners: false,
    },
  );
  await tasks.run();
}

/**
 * Runs work that an interrupt ends in good order: the signal is given to everything that waits, and a second interrupt
 * ends the process as usual.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

/** `12.3 GB`, in the units that registries and disks are sold in. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

function throttled(send: Report): Report {
  let last = performance.now();
  return (text) => {
    const interval = process.stdout.isTTY ? 100 : LOG_INTERVAL;
    if (performance.now() - last < interval) return;
    last = performance.now();
    send(text);
  };
}
