import { writeFileSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { run } from "../toolchain/run.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { CLUSTER_TOOLS } from "../toolchain/tools.ts";
import { withoutProxies } from "./proxies.ts";
import { endByPidFile, endEverything } from "./components.ts";
import { clusterConfig } from "./config.ts";
import { writeKeeperPlan } from "./keeper-plan.ts";
import { KWOK_CLUSTER } from "./layout.ts";
import { chooseClusterPorts } from "./ports.ts";
import { readStages } from "./stages.ts";
import type { ClusterToolName, Tool } from "../toolchain/tools.ts";
import type { ClusterLayout } from "./layout.ts";

/**
 * kwokctl runs kubectl to learn whether the API server answers, and downloads one when there is none. We ask the
 * server ourselves, so kwokctl gets a kubectl that says yes.
 */
const KUBECTL_SHIM = "#!/bin/sh\nprintf ok\n";

/** Makes a new cluster in place of whatever an interrupted attempt left, and starts its processes. */
export async function createCluster(
  layout: ClusterLayout,
  tools: Readonly<Record<ClusterToolName, Tool>>,
  signal?: AbortSignal,
): Promise<void> {
  await removeCluster(layout);
  const ports = await chooseClusterPorts();
  const stages = readStages();
  const binaries = binaryPaths(tools);
  await mkdir(layout.shimFolder, { recursive: true });
  const shim = join(layout.shimFolder, "kubectl");
  await writeFile(shim, KUBECTL_SHIM);
  await chmod(shim, 0o755);
  await writeFile(layout.configFile, clusterConfig({ ports, binaries }, stages.builtIn));
  await runKwokctl(layout, tools.kwokctl.path, signal);
  const server = `https://127.0.0.1:${ports.kubeApiserverPort}`;
  await writeKeeperPlan(layout.clusterFolder, server, stages.deferred);
  await writeFile(layout.completeFile, "");
}

/** Ends the cluster's processes and removes its files; fine when there are none. */
export async function removeCluster(layout: ClusterLayout): Promise<void> {
  await endByPidFile(layout.workFolder, layout.kwokctlPidFile, "SIGKILL");
  await endEverything(layout.clusterFolder);
  await rm(layout.workFolder, { recursive: true, force: true, maxRetries: 5 });
  await rm(layout.kubeconfigFile, { force: true });
}

async function runKwokctl(layout: ClusterLayout, kwokctl: string, signal?: AbortSignal) {
  const args = ["--name", KWOK_CLUSTER, "--config", layout.configFile];
  // An empty --kubeconfig keeps kwokctl from adding a context to the user's own file.
  args.push("create", "cluster", "--kubeconfig=");
  const result = await run(kwokctl, args, {
    cwd: layout.workFolder,
    env: kwokctlEnvironment(layout),
    signal,
    onStart: (pid) => writeFileSync(layout.kwokctlPidFile, String(pid)),
  });
  await rm(layout.kwokctlPidFile, { force: true });
  if (result.code !== 0) {
    throw sandboxError({
      code: "sandbox-cluster-create",
      where: `sandbox ${layout.name}, kwokctl create cluster`,
      found: `exit code ${result.code}:\n    ${messages(result.errorTail).join("\n    ")}`,
      allowed: "a control plane that starts",
      fix: `read the logs in ${join(layout.clusterFolder, "logs")}, then start the sandbox again`,
    });
  }
}

/** The user's environment without settings that would point kwokctl elsewhere. */
function kwokctlEnvironment(layout: ClusterLayout): NodeJS.ProcessEnv {
  const entries = Object.entries(withoutProxies(process.env)).filter(
    ([key]) => !key.startsWith("KWOK_"),
  );
  return {
    ...Object.fromEntries(entries),
    KWOK_WORKDIR: layout.workFolder,
    KUBECONFIG: layout.kubeconfigFile,
    PATH: `${layout.shimFolder}${delimiter}${process.env["PATH"] ?? ""}`,
  };
}

function binaryPaths(
  tools: Readonly<Record<ClusterToolName, Tool>>,
): Record<ClusterToolName, string> {
  const pairs = CLUSTER_TOOLS.map((name) => [name, tools[name].path] as const);
  return Object.fromEntries(pairs) as Record<ClusterToolName, string>;
}

/** kwokctl logs JSON when it has no terminal; the last messages with their errors are what a user can read. */
function messages(lines: readonly string[]): string[] {
  return lines.slice(-5).map((line) => {
    try {
      const entry = JSON.parse(line) as { msg?: string; err?: string };
      return [entry.msg, entry.err].filter((part) => part !== undefined).join(": ");
    } catch {
      return line;
    }
  });
}
