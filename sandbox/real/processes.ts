import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endByPidFile } from "../cluster/components.ts";
import { readProcess, startDetached } from "../cluster/processes.ts";
import { run } from "../toolchain/run.ts";
import type { RunResult } from "../toolchain/run.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { makeCgroups } from "./cgroups.ts";
import { logFile, pidFile } from "./layout.ts";
import type { RealLayout } from "./layout.ts";
import type { NodePrograms } from "./packages.ts";

/** The process that holds the node's namespaces. */
export const HOLDER = "namespaces";
const POLL_MS = 100;
const SECOND_LOOK_MS = 60;
/** Lines of a log that go into a report. */
const REPORTED_LINES = 6;

/** A program of the node. The node's folder is among its arguments, by which the process is known. */
export interface Part {
  readonly name: string;
  /** True for programs in the node's namespaces; a relay's other half is outside. */
  readonly inside: boolean;
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The process of a part while it runs. A process that becomes another program has no arguments for a moment, as one that
 * has ended and waits to be collected has: so a second look tells them apart.
 */
export async function partProcess(layout: RealLayout, name: string): Promise<number | undefined> {
  const file = pidFile(layout, name);
  const found = await readProcess(file, layout.folder);
  if (found !== undefined || !existsSync(file)) return found;
  await sleep(SECOND_LOOK_MS);
  return readProcess(file, layout.folder);
}

/** Starts a part unless it runs. Its process enters the node's control groups before it does anything else. */
export async function startPart(
  layout: RealLayout,
  programs: NodePrograms,
  part: Part,
): Promise<void> {
  if ((await partProcess(layout, part.name)) !== undefined) return;
  const groups = await makeCgroups(layout.cgroup);
  const file = pidFile(layout, part.name);
  const command = part.inside
    ? await insideCommand(layout, programs, [part.command, ...part.args])
    : [part.command, ...part.args];
  await startDetached({
    command: "/bin/sh",
    args: [join(import.meta.dirname, "enter.sh"), file, ...groups, "--", ...command],
    cwd: layout.folder,
    logFile: logFile(layout, part.name),
    pidFile: file,
  });
}

/** Kills a part at once, as a crash would. */
export async function endPart(layout: RealLayout, name: string): Promise<void> {
  await endByPidFile(layout.folder, pidFile(layout, name), "SIGKILL");
}

/**
 * Runs a program in the node's namespaces to its end. It sees the addresses of Services, pods and load balancers; its
 * folder is `/`.
 */
export async function runInside(
  layout: RealLayout,
  programs: NodePrograms,
  argv: readonly string[],
  signal?: AbortSignal,
): Promise<RunResult> {
  const [command = "", ...args] = await insideCommand(layout, programs, argv);
  return run(command, args, { signal });
}

/** nsenter and env become the program they start, so its process id is that of the whole command. */
async function insideCommand(
  layout: RealLayout,
  programs: NodePrograms,
  argv: readonly string[],
): Promise<string[]> {
  const holder = await partProcess(layout, HOLDER);
  if (holder === undefined) throw absentError(layout);
  const path = [...programs.path, "/usr/sbin", "/usr/bin", "/sbin", "/bin"].join(":");
  const variables = Object.entries({ ...programs.env, PATH: path, HOME: "/root" });
  return [
    "nsenter",
    ...["--target", String(holder), "--mount", "--net", "--"],
    // Nothing of the user's environment: a proxy, for one, would be asked for the API server.
    ...["env", "-i", ...variables.map(([name, value]) => `${name}=${value}`)],
    ...argv,
  ];
}

/** What is waited for. */
export interface Wait {
  readonly layout: RealLayout;
  readonly what: string;
  /** Parts without which waiting is in vain. */
  readonly needs: readonly string[];
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Waits until `reached`. A part that has ended meanwhile ends the wait, and its last words are in the report. */
export async function waitFor(wait: Wait, reached: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + wait.seconds * 1000;
  while (!(await reached())) {
    wait.signal?.throwIfAborted();
    await allRun(wait);
    if (Date.now() > deadline) throw await lateError(wait);
    await sleep(POLL_MS, undefined, { signal: wait.signal });
  }
}

/** Throws when one of the parts has ended, with its last words. */
export async function allRun(wait: Omit<Wait, "seconds">): Promise<void> {
  for (const name of wait.needs) {
    if ((await partProcess(wait.layout, name)) === undefined) throw await endedError(wait, name);
  }
}

async function endedError({ layout, what }: Omit<Wait, "seconds">, name: string) {
  return sandboxError({
    code: "sandbox-real-start",
    where: `sandbox ${layout.name}, ${what}`,
    found: `${name} has ended:${await lastWords(layout, name)}`,
    allowed: "parts that keep running",
    fix: `read ${logFile(layout, name)}, then run the same command again: it starts what is missing`,
  });
}

async function lateError({ layout, what, needs, seconds }: Wait) {
  const last = needs.at(-1) ?? HOLDER;
  return sandboxError({
    code: "sandbox-real-late",
    where: `sandbox ${layout.name}, ${what}`,
    found: `not after ${seconds} seconds; ${last} runs and says:${await lastWords(layout, last)}`,
    allowed: `${what} within ${seconds} seconds`,
    fix: `read the logs in ${layout.logs}, then run the same command again`,
  });
}

async function lastWords(layout: RealLayout, name: string): Promise<string> {
  const text = await readFile(logFile(layout, name), "utf8").catch(() => "");
  const lines = text.trimEnd().split("\n").slice(-REPORTED_LINES);
  return lines.map((line) => `\n    ${line.slice(0, 400)}`).join("");
}

function absentError(layout: RealLayout) {
  return sandboxError({
    code: "sandbox-real-absent",
    where: `sandbox ${layout.name}`,
    found: "no real node that runs",
    allowed: "a node that was started before",
    fix: "start the sandbox first",
  });
}
