import { createHash } from "node:crypto";
import { join } from "node:path";
import { stateFolder } from "../paths.ts";
import type { Environment } from "../paths.ts";

/** Where one sandbox's real node keeps its files; everything but the locks is below `folder`. */
export interface RealLayout {
  readonly name: string;
  /** State folder of the sandbox; the node is one tenant of it. */
  readonly root: string;
  /** Part of the arguments of every process of the node, by which they are known. */
  readonly folder: string;
  /** Logs of every part, and `audit.log` of the API server. */
  readonly logs: string;
  readonly pids: string;
  readonly pki: string;
  /** Unix sockets of the relays: they cross network namespaces, TCP does not. */
  readonly sockets: string;
  /** Relays that exist, so that a node that is started again has them again. */
  readonly relaysFile: string;
  /** The API server's port on this machine's loopback. */
  readonly portFile: string;
  /** Written by the holder of the namespaces once they are furnished. */
  readonly readyFile: string;
  /** Self-contained kubeconfig for users and providers. */
  readonly kubeconfigFile: string;
  readonly lockFile: string;
  /**
   * Control group of everything that the node runs. Its name follows from the folder, so that the processes are found
   * although the folder was removed, and so that two state folders do not share one.
   */
  readonly cgroup: string;
}

/** The layout for the sandbox `name`; creates nothing. */
export function realLayout(name: string, env: Environment = process.env): RealLayout {
  const root = stateFolder(name, env);
  const folder = join(root, "real");
  const digest = createHash("sha256").update(folder).digest("hex").slice(0, 10);
  return {
    name,
    root,
    folder,
    logs: join(folder, "logs"),
    pids: join(folder, "pids"),
    pki: join(folder, "pki"),
    sockets: join(folder, "sockets"),
    relaysFile: join(folder, "relays.json"),
    portFile: join(folder, "port"),
    readyFile: join(folder, "ready"),
    kubeconfigFile: join(folder, "kubeconfig"),
    lockFile: join(root, "real.lock"),
    cgroup: `kserve-platform-${name}-${digest}`,
  };
}

/** Pid file of a part. */
export function pidFile(layout: RealLayout, part: string): string {
  return join(layout.pids, `${part}.pid`);
}

/** Log of a part. */
export function logFile(layout: RealLayout, part: string): string {
  return join(layout.logs, `${part}.log`);
}
