import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { ExitCode } from "./exit-code.ts";
import type { Finish } from "./exit-code.ts";
import { renderTable } from "./table.ts";
import { MODES } from "../config/schema.ts";
import type { Mode } from "../config/schema.ts";
import type { ClusterStatus } from "../sandbox/cluster/index.ts";
import type { RealStatus } from "../sandbox/real/index.ts";

interface Options {
  readonly name: string;
  /** @default `airgap` with `--airgap`, else `sandbox` */
  readonly stack?: string;
  readonly charts?: string;
  readonly airgap?: boolean;
  readonly real?: boolean;
  readonly mode?: Mode;
  readonly bundle?: string;
}

/** What `--real` installs unless a stack is named. */
const REAL_STACK = join(import.meta.dirname, "..", "sandbox", "stacks", "real.yaml");

/** `platform sandbox …`: an embedded cluster on this machine, with this program installed on it. */
export function addSandbox(program: Command, finish: Finish): void {
  const sandbox = program
    .command("sandbox")
    .description("try the program on an embedded cluster: real control plane, simulated nodes");
  const withName = (command: Command): Command =>
    command.option(
      "--name <name>",
      "several sandboxes by name do not disturb each other",
      "default",
    );
  withUp(withName(sandbox.command("up")))
    .description("bring the cluster up and install a stack on it; finds what an earlier run left")
    .action(async (options: Options) => {
      finish(misused(options) ? ExitCode.WrongUse : await attempt(() => up(options)));
    });
  withName(sandbox.command("down"))
    .description("remove the cluster and everything that the sandbox installed on it")
    .action(async (options: Options) => {
      finish(await attempt(() => down(options)));
    });
  withUp(withName(sandbox.command("reset")))
    .description("remove the cluster and bring it up again, empty")
    .action(async (options: Options) => {
      const again = async () => (await down(options)) && up(options);
      finish(misused(options) ? ExitCode.WrongUse : await attempt(again));
    });
  withName(sandbox.command("status"))
    .description("show the cluster and its parts")
    .action(async (options: Options) => {
      finish(await attempt(() => status(options)));
    });
}

function withUp(command: Command): Command {
  return command
    .option(
      "--stack <stack>",
      "stack name or path of a stack file (default: sandbox; with --airgap: airgap; with --real: sandbox/stacks/real.yaml)",
    )
    .option(
      "--charts <dir>",
      "folder of charts to use instead of stand-ins (also PLATFORM_CHARTS)",
      process.env["PLATFORM_CHARTS"],
    )
    .option("--airgap", "install from a registry beside the cluster, with every way out refused")
    .option(
      "--real",
      "run pods in containers on a node of this machine (Linux, root), installed across an air gap; a model answers at the end",
    )
    .addOption(
      new Option(
        "--mode <mode>",
        "with --airgap or --real: mode instead of the stack file's",
      ).choices(MODES),
    )
    .option(
      "--bundle <dir>",
      "with --airgap or --real: a bundle to load before anything is built or stood in for",
    );
}

/** Options that would have no effect are a mistake, not a wish. */
function misused({ airgap, real, mode, bundle }: Options): boolean {
  if (airgap === true || real === true || (mode ?? bundle) === undefined) return false;
  process.stderr.write(
    "[sandbox-options] --mode, --bundle\n  found:   without --airgap and --real\n  allowed: with one of them\n" +
      "  to do:   add --airgap, or set kserve:mode in a stack file of your own and name it with --stack\n",
  );
  return true;
}

/** Sandbox modules are loaded on use: `platform check` must not pay for them. */
async function up(options: Options): Promise<boolean> {
  const abort = new AbortController();
  process.once("SIGINT", () => {
    abort.abort(new Error("interrupted; the same command goes on from here"));
  });
  const { name, airgap, real = false, stack, charts } = options;
  const common = { name, signal: abort.signal, ...(charts === undefined ? {} : { charts }) };
  if (airgap !== true && !real) {
    const { sandboxUp } = await import("./sandbox-up.ts");
    return sandboxUp({ ...common, stack: stack ?? "sandbox" });
  }
  const { mode, bundle } = options;
  const { sandboxUpAirgap } = await import("./sandbox-airgap.ts");
  return sandboxUpAirgap({
    ...common,
    real,
    stack: stack ?? (real ? REAL_STACK : "airgap"),
    ...(mode === undefined ? {} : { mode }),
    ...(bundle === undefined ? {} : { bundle }),
  });
}

async function down(options: Options): Promise<boolean> {
  const { stopCluster } = await import("../sandbox/cluster/index.ts");
  const { stopRealCluster } = await import("../sandbox/real/index.ts");
  const { stateFolder } = await import("../sandbox/paths.ts");
  const { stopRegistry } = await import("../sandbox/registry/server.ts");
  await stopRegistry(options.name);
  await stopCluster({ name: options.name });
  await stopRealCluster({ name: options.name });
  await rm(stateFolder(options.name), { recursive: true, force: true });
  process.stdout.write(
    `The sandbox ${options.name} is gone. Built tools stay in the cache for the next one.\n`,
  );
  return true;
}

async function status(options: Options): Promise<boolean> {
  const found = await anyStatus(options.name);
  const { registryRuns, registryLayout } = await import("../sandbox/registry/server.ts");
  const registry = existsSync(registryLayout(options.name).folder)
    ? [{ name: "registry", pid: await registryRuns(options.name) }]
    : [];
  const parts = [
    ...found.components,
    ...registry.map((part) => ({ ...part, running: part.pid !== undefined })),
  ];
  const rows = parts.map((part) => [
    part.name,
    part.running ? "running" : "stopped",
    String(part.pid ?? "-"),
  ]);
  process.stdout.write(
    `sandbox ${options.name}: ${found.state} ${found.version ?? ""} ${found.server ?? ""}\n`,
  );
  if (rows.length > 0) process.stdout.write(`${renderTable(["PART", "STATE", "PID"], rows)}\n`);
  if (found.kubeconfig !== undefined) process.stdout.write(`kubeconfig: ${found.kubeconfig}\n`);
  return found.state === "running";
}

/** A sandbox's cluster has either simulated nodes or a real one. */
async function anyStatus(name: string): Promise<ClusterStatus | RealStatus> {
  const { realClusterStatus } = await import("../sandbox/real/index.ts");
  const real = await realClusterStatus({ name });
  if (real.state !== "absent") return real;
  const { clusterStatus } = await import("../sandbox/cluster/index.ts");
  return clusterStatus({ name });
}

async function attempt(work: () => Promise<boolean>): Promise<number> {
  try {
    return (await work()) ? ExitCode.Fine : ExitCode.Problems;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return ExitCode.Problems;
  }
}
