import { execFileSync, spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 25;

/**
 * The id that a pid file names, if that process lives and is ours. Ids are used again after a reboot, so the
 * process must carry `marker` (a folder of the sandbox) in its arguments.
 */
export async function readProcess(pidFile: string, marker: string): Promise<number | undefined> {
  const text = await readFile(pidFile, "utf8").catch(() => "");
  const id = Number.parseInt(text, 10);
  if (!Number.isInteger(id) || id <= 1) return undefined;
  return (await commandLine(id)).includes(marker) ? id : undefined;
}

/** Ids of all processes whose program is below a folder, whether or not a pid file names them. */
export async function findProcesses(programFolder: string): Promise<number[]> {
  const ids = await listProcesses();
  const lines = await Promise.all(ids.map(commandLine));
  return ids.filter((_, index) => lines[index]?.startsWith(`${programFolder}/`));
}

/** Sends the signal and waits until the process is gone; false when it is still there after the time. */
export async function endProcess(
  id: number,
  signal: NodeJS.Signals,
  milliseconds: number,
): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  if (!send(id, signal)) return true;
  while (Date.now() < deadline) {
    if (!(await lives(id))) return true;
    await sleep(POLL_MS);
  }
  return false;
}

/** A program that outlives this process. */
export interface DetachedProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** @default this process's own */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a program in a session of its own, so that neither our end nor a Ctrl-C in our terminal reaches it. */
export async function startDetached(program: DetachedProgram): Promise<number> {
  await mkdir(dirname(program.logFile), { recursive: true });
  await mkdir(dirname(program.pidFile), { recursive: true });
  const log = openSync(program.logFile, "a");
  try {
    const child = spawn(program.command, [...program.args], {
      cwd: program.cwd,
      detached: true,
      stdio: ["ignore", log, log],
      env: program.env ?? process.env,
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    await writeFile(program.pidFile, String(child.pid));
    return child.pid ?? 0;
  } finally {
    closeSync(log);
  }
}

/** Removes the pid file of a process that has ended. */
export async function forgetProcess(pidFile: string): Promise<void> {
  await rm(pidFile, { force: true });
}

async function listProcesses(): Promise<number[]> {
  const names =
    process.platform === "linux"
      ? await readdir("/proc")
      : execFileSync("ps", ["-axo", "pid="], { encoding: "utf8" }).split("\n");
  return names.map(Number).filter((id) => Number.isInteger(id) && id > 1);
}

function send(id: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(id, signal);
  } catch {
    return false;
  }
}

async function lives(id: number): Promise<boolean> {
  return (await commandLine(id)) !== "";
}

/** Arguments of a process; empty when it is gone, and for one that has ended and waits to be collected. */
async function commandLine(id: number): Promise<string> {
  if (process.platform === "linux") {
    return readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
  }
  try {
    return execFileSync("ps", ["-ww", "-o", "command=", "-p", String(id)], { encoding: "utf8" });
  } catch {
    return "";
  }
}
