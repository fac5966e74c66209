import type { Problem } from "../problems/problem.ts";
import type { Settings } from "./schema.ts";

/** Longest wait for the API server's answer, in milliseconds. */
const TIMEOUT = 10_000;

/** What the cluster answered, or why it did not. */
export type Discovery = { readonly version: string } | { readonly problem: Problem };

/** Asks the cluster that the stack names for its Kubernetes version, as `major.minor.patch`. */
export async function discoverKubernetes(settings: Settings): Promise<Discovery> {
  // Loaded only where it is needed: a stack that names its Kubernetes version starts faster without it.
  const { KubeConfig, VersionApi } = await import("@kubernetes/client-node");
  const { kubeconfig, context } = settings.kubernetes;
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
    if (context !== undefined) config.setCurrentContext(context);
    const answer = await withTimeout(config.makeApiClient(VersionApi).getCode());
    return { version: answer.gitVersion.replace(/^v/, "") };
  } catch (error) {
    return { problem: unreachable(config.getCurrentCluster()?.server, error as Error) };
  }
}

async function withTimeout<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`no answer within ${String(TIMEOUT / 1000)} s`));
  }, TIMEOUT);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(server: string | undefined, error: Error): Problem {
  return {
    code: "config-kubernetes-unreachable",
    level: "block",
    where: "kserve:kubernetes",
    found: `${server ?? "no cluster in the kubeconfig"}: ${reasonOf(error)}`,
    allowed: "a cluster that answers, or kserve:kubernetes.version",
    fix: "check kserve:kubernetes.kubeconfig and .context (kubectl version), or set kserve:kubernetes.version",
  };
}

function reasonOf(error: Error): string {
  const { cause } = error as { cause?: { message?: string } };
  return (cause?.message ?? error.message).split("\n", 1)[0] ?? "unknown error";
}
