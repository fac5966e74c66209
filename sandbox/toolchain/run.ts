import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** Every line of the error stream as it comes. */
  readonly onErrorLine?: (line: string) => void;
  /** Called with the process id once the program runs. */
  readonly onStart?: (pid: number) => void;
}

/** How a program ended. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  /** The last lines of the error stream: enough for a report, bounded in memory. */
  readonly errorTail: readonly string[];
}

const TAIL_LINES = 30;

/** Runs a program to its end without a shell. A failing program is a result; one that cannot be started throws. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) options.onStart?.(child.pid);
  // Interrupt, not terminate: go passes it on to the compilers that it started.
  const stop = () => child.kill("SIGINT");
  options.signal?.addEventListener("abort", stop, { once: true });
  const tail: string[] = [];
  const errors = eachLine(child.stderr, (line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    options.onErrorLine?.(line);
  });
  const output = collect(child.stdout);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => resolve(status ?? 1));
    });
    options.signal?.throwIfAborted();
    await errors;
    return { code, stdout: await output, errorTail: tail };
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
}

async function eachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) onLine(line);
}

async function collect(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
