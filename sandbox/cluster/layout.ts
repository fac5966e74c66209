import { join } from "node:path";
import { stateFolder } from "../paths.ts";
import type { Environment } from "../paths.ts";

/** Name that kwokctl knows the cluster by; constant, since every sandbox has a work folder of its own. */
export const KWOK_CLUSTER = "sandbox";

/** Where one sandbox's cluster keeps its files; everything is below `root`. */
export interface ClusterLayout {
  readonly name: string;
  /** State folder of the sandbox; the cluster is one tenant of it. */
  readonly root: string;
  /** `KWOK_WORKDIR`. */
  readonly workFolder: string;
  /** kwokctl's folder of this one cluster: bin, etcd, logs, pids, pki. */
  readonly clusterFolder: string;
  /** The configuration that is given to kwokctl. */
  readonly configFile: string;
  /** Written last; a cluster folder without it was interrupted while it was made. */
  readonly completeFile: string;
  /** Process of a kwokctl that makes the cluster: it goes on when the command that ran it is killed. */
  readonly kwokctlPidFile: string;
  /** First on kwokctl's PATH. */
  readonly shimFolder: string;
  /** Self-contained kubeconfig for users and providers. */
  readonly kubeconfigFile: string;
  readonly lockFile: string;
}

/** The layout of the sandbox `name`; creates nothing. */
export function clusterLayout(name: string, env: Environment = process.env): ClusterLayout {
  const root = stateFolder(name, env);
  const workFolder = join(root, "kwok");
  const clusterFolder = join(workFolder, "clusters", KWOK_CLUSTER);
  return {
    name,
    root,
    workFolder,
    clusterFolder,
    configFile: join(workFolder, "sandbox.yaml"),
    completeFile: join(workFolder, "complete"),
    kwokctlPidFile: join(workFolder, "kwokctl.pid"),
    shimFolder: join(workFolder, "shims"),
    kubeconfigFile: join(root, "kubeconfig"),
    lockFile: join(root, "cluster.lock"),
  };
}
