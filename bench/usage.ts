import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** What one program of a command's process tree took. */
export interface ProgramUsage {
  /** Name that a reader knows it by (`pulumi`, `policy pack`), as `nameOf` answers it. */
  readonly program: string;
  /** Seconds on a processor, user and system. */
  readonly cpuSeconds: number;
  /** Highest resident memory of one process of that name, MiB. */
  readonly peakMiB: number;
}

/** How one command went, as a stopwatch and the kernel saw it. */
export interface Usage {
  readonly code: number;
  readonly seconds: number;
  /** Seconds on a processor of the whole tree, what is gone before a sample included. */
  readonly cpuSeconds: number;
  readonly programs: readonly ProgramUsage[];
  readonly output: string;
}

export interface MeteredCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  /** Words of a process's command line to the name under which it is listed. */
  readonly nameOf: (commandLine: readonly string[]) => string;
}

interface Sample {
  readonly cpuTicks: number;
  readonly peakKiB: number;
  readonly commandLine: readonly string[];
}

/** Milliseconds between two looks at the tree: a program that lives shorter shows in the sum only. */
const INTERVAL = 200;
/** Clock ticks a second in /proc/PID/stat; 100 on every Linux that Node is built for (sysconf _SC_CLK_TCK). */
const TICKS = 100;

/** Runs a command to its end and accounts for every process that it started. Linux only: it reads /proc. */
export async function meter(metered: MeteredCommand): Promise<Usage> {
  const started = performance.now();
  const child = spawn(metered.command, metered.args, {
    ...(metered.cwd === undefined ? {} : { cwd: metered.cwd }),
    env: metered.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const seen = new Map<number, Sample>();
  const timer = setInterval(() => {
    if (child.pid !== undefined) sampleTree(child.pid, seen);
  }, INTERVAL);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (output += data.toString()));
  const ended = Promise.withResolvers<number>();
  child.once("error", ended.reject);
  child.once("close", (code) => {
    ended.resolve(code ?? 1);
  });
  const code = await ended.promise.finally(() => {
    clearInterval(timer);
  });
  const programs = byProgram(seen, metered.nameOf);
  return {
    code,
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: programs.reduce((sum, program) => sum + program.cpuSeconds, 0),
    programs,
    output,
  };
}

/** Adds the processes below `root` to what was seen; the last look at each wins, since its counters only grow. */
function sampleTree(root: number, seen: Map<number, Sample>): void {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    const parent = Number.isInteger(pid) ? statOf(pid)?.parent : undefined;
    if (parent !== undefined) parents.set(pid, parent);
  }
  // Only the tree is looked at closely: reading everything of every process would take a good part of a core.
  for (const pid of parents.keys()) {
    const sample = isBelow(pid, root, parents) ? readProcess(pid) : undefined;
    if (sample !== undefined) seen.set(pid, merge(seen.get(pid), sample));
  }
}

/** A process that has ended and waits to be noticed still has its time, but neither name nor memory. */
function merge(before: Sample | undefined, now: Sample): Sample {
  if (before === undefined || now.commandLine.join("") !== "") return now;
  return { ...before, cpuTicks: now.cpuTicks };
}

function isBelow(pid: number, root: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
    if (at === root) return true;
  return false;
}

function readProcess(pid: number): Sample | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, "utf8");
    return {
      cpuTicks: statOf(pid)?.cpuTicks ?? 0,
      peakKiB: Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0),
      commandLine: readFileSync(`/proc/${String(pid)}/cmdline`, "utf8").split("\0"),
    };
  } catch {
    // It ended between the listing and the reading.
    return undefined;
  }
}

/** Fields after the name, which stands in parentheses and may hold spaces (proc(5), /proc/pid/stat). */
function statOf(pid: number): { parent: number; cpuTicks: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

function byProgram(
  seen: ReadonlyMap<number, Sample>,
  nameOf: MeteredCommand["nameOf"],
): ProgramUsage[] {
  const groups = Map.groupBy(seen.values(), (sample) => nameOf(sample.commandLine));
  return [...groups]
    .map(([program, samples]) => ({
      program,
      cpuSeconds: samples.reduce((sum, sample) => sum + sample.cpuTicks, 0) / TICKS,
      peakMiB: Math.max(...samples.map((sample) => sample.peakKiB)) / 1024,
    }))
    .sort((one, two) => two.cpuSeconds - one.cpuSeconds);
}
