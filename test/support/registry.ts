import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAccessLine } from "../../sandbox/registry/access-log.ts";
import type { Certificates } from "../../sandbox/registry/certificates.ts";
import {
  REGISTRY_USER,
  registryEnvironment,
  registryFiles,
} from "../../sandbox/registry/config.ts";
import { cacheFolder } from "../../sandbox/paths.ts";
import { findExecutable, findOnPath } from "../../sandbox/toolchain/on-path.ts";
import { isStored, storedPath, toolStore } from "../../sandbox/toolchain/store.ts";

/** Who may log in to a registry that asks. */
export const USER = REGISTRY_USER;
const START_MS = 10_000;

/** The programs that tests against a real registry need. */
export interface RegistryTools {
  readonly registry: string;
  readonly skopeo: string;
}

/** Those programs, or the reason why the tests cannot run here, which is also printed: a skipped test says nothing. */
export async function registryTools(): Promise<RegistryTools | string> {
  const found = await findTools();
  if (typeof found === "string")
    process.stderr.write(`Tests against a registry SKIPPED: ${found}\n`);
  return found;
}

async function findTools(): Promise<RegistryTools | string> {
  const path = process.env["PATH"] ?? "";
  const store = toolStore(cacheFolder());
  const registry = (await isStored(store, "registry"))
    ? storedPath(store, "registry")
    : (await findOnPath("registry", path))?.path;
  const skopeo = await findExecutable("skopeo", path);
  if (registry === undefined)
    return "no distribution registry: apt-get install docker-registry, or `node test/support/get-registry.ts`";
  if (skopeo === undefined) return "no skopeo: apt-get install skopeo";
  return { registry, skopeo };
}

/** How a registry is started. */
export interface RegistryOptions {
  readonly folder: string;
  readonly tls?: Certificates;
  /** True to let only {@link USER} in. */
  readonly auth?: boolean;
}

/** A real registry on loopback. */
export interface TestRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** `GET /v2/a/manifests/1 200`, in the order in which they were answered. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** Starts the distribution registry and waits until it answers. */
export async function startRegistry(
  program: string,
  options: RegistryOptions,
): Promise<TestRegistry> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const host = `127.0.0.1:${String(port)}`;
  for (const [name, text] of Object.entries(registryFiles({ ...options, host })))
    await writeFile(join(folder, name), text);
  const child = spawn(program, ["serve", join(folder, "config.yml")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: registryEnvironment(process.env),
  });
  const requests: string[] = [];
  const words: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const found = parseAccessLine(line);
    if (found !== undefined) requests.push(`${found.method} ${found.path} ${String(found.status)}`);
  });
  createInterface({ input: child.stderr }).on("line", (line) => words.push(line));
  await answering(port, child, words);
  return {
    host,
    requests,
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answering(port: number, child: ChildProcess, words: string[]): Promise<void> {
  const { connect } = await import("node:net");
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () =>
        resolve(false),
      );
      socket.on("connect", () => socket.destroy());
    });
    if (connected) return;
    await sleep(50);
  }
  throw new Error(`the registry does not start:\n${words.join("\n")}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
