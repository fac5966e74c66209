import { existsSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcesses, endProcess, readProcess, startDetached } from "../cluster/processes.ts";
import { freePorts, isFree } from "../cluster/ports.ts";
import { stateFolder } from "../paths.ts";
import { withLock } from "../toolchain/lock.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { makeCertificates } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { registryEnvironment, registryFiles } from "./config.ts";

/** Where a sandbox's registry keeps its files. */
export interface RegistryLayout {
  readonly folder: string;
  readonly logFile: string;
  readonly pidFile: string;
  readonly portFile: string;
  readonly lockFile: string;
}

/** The registry of a sandbox: where it is, or will be once it is started. */
export interface SandboxRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly certificates: Certificates;
  /** PEM text of its private CA. */
  readonly ca: string;
  readonly layout: RegistryLayout;
}

const START_MS = 20_000;
const END_MS = 5_000;
const POLL_MS = 50;

/** The layout for the sandbox `name`; creates nothing. */
export function registryLayout(name: string): RegistryLayout {
  const folder = join(stateFolder(name), "registry");
  return {
    folder,
    logFile: join(folder, "registry.log"),
    pidFile: join(folder, "registry.pid"),
    portFile: join(folder, "port"),
    lockFile: join(stateFolder(name), "registry.lock"),
  };
}

/**
 * Chooses port and CA, or finds those of an earlier run: stack files name both, so they stay for the sandbox's life. A
 * port that something else took meanwhile is given up.
 */
export async function prepareRegistry(name: string): Promise<SandboxRegistry> {
  const layout = registryLayout(name);
  await mkdir(layout.folder, { recursive: true, mode: 0o700 });
  return withLock(layout.lockFile, {}, async () => {
    const tls = certificatesOf(layout.folder);
    const whole = existsSync(tls.ca) && existsSync(tls.certificate) && existsSync(tls.key);
    const certificates = whole ? tls : await makeCertificates(layout.folder);
    const host = `127.0.0.1:${String(await portOf(layout))}`;
    return { host, certificates, ca: await readFile(certificates.ca, "utf8"), layout };
  });
}

/** Starts it unless it runs, and waits until it answers. It outlives this process. */
export async function startRegistry(
  { host, certificates, layout }: SandboxRegistry,
  program: string,
): Promise<void> {
  const { folder, pidFile, logFile } = layout;
  await withLock(layout.lockFile, {}, async () => {
    if ((await readProcess(pidFile, folder)) !== undefined) return;
    const files = registryFiles({ folder, host, tls: certificates, auth: true });
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), text, { mode: 0o600 });
    const args = ["serve", join(folder, "config.yml")];
    const env = registryEnvironment(process.env);
    const command = await linkProgram(folder, program);
    await startDetached({ command, args, cwd: folder, logFile, pidFile, env });
    await answering(host, layout);
  });
}

/** The id of its process while it runs. */
export async function registryRuns(name: string): Promise<number | undefined> {
  const { pidFile, folder } = registryLayout(name);
  return readProcess(pidFile, folder);
}

/** Ends it and removes what it holds; fine when there is none, or when its folder was removed by hand. */
export async function stopRegistry(name: string): Promise<void> {
  const { folder, lockFile } = registryLayout(name);
  const running = await findProcesses(join(folder, "bin"));
  await Promise.all(running.map((id) => endProcess(id, "SIGKILL", END_MS)));
  await rm(folder, { recursive: true, force: true });
  await rm(lockFile, { force: true });
}

/** A name for the program in the sandbox's own folder, by which its process is known. */
async function linkProgram(folder: string, program: string): Promise<string> {
  const link = join(folder, "bin", "registry");
  await mkdir(join(folder, "bin"), { recursive: true });
  await rm(link, { force: true });
  await symlink(program, link);
  return link;
}

function certificatesOf(folder: string): Certificates {
  return {
    ca: join(folder, "ca.pem"),
    certificate: join(folder, "leaf.pem"),
    key: join(folder, "leaf.key"),
  };
}

async function portOf({ folder, portFile, pidFile }: RegistryLayout): Promise<number> {
  const known = Number.parseInt(await readFile(portFile, "utf8").catch(() => ""), 10);
  const runs = (await readProcess(pidFile, folder)) !== undefined;
  if (Number.isInteger(known) && (runs || (await isFree(known)))) return known;
  const [port = 0] = await freePorts(1);
  await writeFile(portFile, String(port));
  return port;
}

async function answering(host: string, { folder, pidFile, logFile }: RegistryLayout) {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && (await readProcess(pidFile, folder)) !== undefined) {
    if (await listens(Number(host.split(":")[1]))) return;
    await sleep(POLL_MS);
  }
  throw sandboxError({
    code: "sandbox-registry-start",
    where: `registry ${host}`,
    found: "it ended while starting, or does not answer in time",
    allowed: `a registry that answers within ${String(START_MS / 1000)} seconds`,
    fix: `read ${logFile}`,
  });
}

function listens(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}
