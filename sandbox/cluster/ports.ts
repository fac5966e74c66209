import { createServer } from "node:net";
import { sandboxError } from "../toolchain/sandbox-error.ts";

/** Port options of a kwokctl cluster, under kwokctl's own names. */
export interface ClusterPorts {
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly kubeApiserverPort: number;
  readonly kubeControllerManagerPort: number;
  readonly kubeSchedulerPort: number;
  readonly kwokControllerPort: number;
}

/**
 * Ports are drawn from below the range that Linux gives to outgoing connections (from 32768) and the one of
 * NodePorts (from 30000): a stopped cluster keeps its ports, and they should be free when it starts again.
 */
const FIRST_PORT = 20000;
const LAST_PORT = 29999;
const ATTEMPTS = 200;

/**
 * Six free loopback ports. Drawn at random: two sandboxes that start at the same moment would otherwise both find
 * the same ports free.
 */
export async function chooseClusterPorts(): Promise<ClusterPorts> {
  const [etcd, peer, api, manager, scheduler, kwok] = await freePorts(6);
  return {
    etcdPort: etcd ?? 0,
    etcdPeerPort: peer ?? 0,
    kubeApiserverPort: api ?? 0,
    kubeControllerManagerPort: manager ?? 0,
    kubeSchedulerPort: scheduler ?? 0,
    kwokControllerPort: kwok ?? 0,
  };
}

/** Free loopback ports outside the ranges of outgoing connections and NodePorts, drawn at random. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS && found.size < count; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  if (found.size < count) {
    throw sandboxError({
      code: "sandbox-ports-exhausted",
      where: `127.0.0.1, ports ${FIRST_PORT}-${LAST_PORT}`,
      found: `${found.size} free ports in ${ATTEMPTS} attempts`,
      allowed: `${count} free ports`,
      fix: "stop other sandboxes or whatever listens there, then try again",
    });
  }
  return [...found];
}

/** True when nothing listens on the loopback port. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
