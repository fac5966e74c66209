import { rm } from "node:fs/promises";
import type { Command } from "commander";
import { ExitCode } from "./exit-code.ts";
import type { Finish } from "./exit-code.ts";
import { renderTable } from "./table.ts";

interface Options {
  readonly name: string;
  readonly stack: string;
  readonly charts?: string;
}

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
  withName(sandbox.command("up"))
    .description("bring the cluster up and install a stack on it; finds what an earlier run left")
    .option("--stack <stack>", "stack name or path of a stack file", "sandbox")
    .option(
      "--charts <dir>",
      "folder of charts to use instead of stand-ins (also PLATFORM_CHARTS)",
      process.env["PLATFORM_CHARTS"],
    )
    .action(async (options: Options) => {
      finish(await attempt(() => up(options)));
    });
  withName(sandbox.command("down"))
    .description("remove the cluster and everything that the sandbox installed on it")
    .action(async (options: Options) => {
      finish(await attempt(() => down(options)));
    });
  withName(sandbox.command("reset"))
    .description("remove the cluster and bring it up again, empty")
    .option("--stack <stack>", "stack name or path of a stack file", "sandbox")
    .option(
      "--charts <dir>",
      "folder of charts to use instead of stand-ins",
      process.env["PLATFORM_CHARTS"],
    )
    .action(async (options: Options) => {
      finish(await attempt(async () => (await down(options)) && up(options)));
    });
  withName(sandbox.command("status"))
    .description("show the cluster and its parts")
    .action(async (options: Options) => {
      finish(await attempt(() => status(options)));
    });
}

/** Sandbox modules are loaded on use: `platform check` must not pay for them. */
async function up(options: Options): Promise<boolean> {
  const { sandboxUp } = await import("./sandbox-up.ts");
  const abort = new AbortController();
  process.once("SIGINT", () => {
    abort.abort(new Error("interrupted; the same command goes on from here"));
  });
  const { name, stack, charts } = options;
  return sandboxUp({
    name,
    stack,
    signal: abort.signal,
    ...(charts === undefined ? {} : { charts }),
  });
}

async function down(options: Options): Promise<boolean> {
  const { stopCluster } = await import("../sandbox/cluster/index.ts");
  const { stateFolder } = await import("../sandbox/paths.ts");
  await stopCluster({ name: options.name });
  await rm(stateFolder(options.name), { recursive: true, force: true });
  process.stdout.write(
    `The sandbox ${options.name} is gone. Built tools stay in the cache for the next one.\n`,
  );
  return true;
}

async function status(options: Options): Promise<boolean> {
  const { clusterStatus } = await import("../sandbox/cluster/index.ts");
  const found = await clusterStatus({ name: options.name });
  const rows = found.components.map((part) => [
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

async function attempt(work: () => Promise<boolean>): Promise<number> {
  try {
    return (await work()) ? ExitCode.Fine : ExitCode.Problems;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return ExitCode.Problems;
  }
}
