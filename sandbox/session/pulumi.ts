import { spawn } from "node:child_process";
import { dirname, delimiter } from "node:path";
import type { Tool } from "../toolchain/index.ts";
import type { ProjectLayout } from "./project.ts";

/** What running `pulumi` needs. */
export interface PulumiContext {
  readonly layout: ProjectLayout;
  readonly pulumi: Tool;
  readonly helm: Tool;
  readonly kubeconfig: string;
  /** Folders of plugin stand-ins and of official plugins found elsewhere. */
  readonly pathPrepend: readonly string[];
  /** Over everything else in the environment of every command. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How one command went. */
export interface PulumiResult {
  readonly code: number;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

export interface PulumiOptions {
  /** Receives output while the command runs; absent: the output is only collected. */
  readonly onOutput?: (text: string) => void;
  readonly signal?: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment of every `pulumi` command: own home, own backend, own PATH; the user's settings stay untouched. */
export function pulumiEnvironment(context: PulumiContext): NodeJS.ProcessEnv {
  const { layout } = context;
  const path = [
    dirname(process.execPath),
    ...context.pathPrepend,
    dirname(context.helm.path),
    process.env["PATH"] ?? "",
  ];
  // A user's setting against plugins on PATH would hide the stand-ins, and with them every explanation.
  const { PULUMI_IGNORE_AMBIENT_PLUGINS: _ambient, ...env } = process.env;
  return {
    ...env,
    PATH: path.join(delimiter),
    KUBECONFIG: context.kubeconfig,
    PULUMI_HOME: layout.home,
    PULUMI_BACKEND_URL: `file://${layout.backend}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: layout.passphraseFile,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Node keeps what it compiled: program, policy pack and plugins start in about half the time.
    NODE_COMPILE_CACHE: env["NODE_COMPILE_CACHE"] ?? layout.compileCache,
    // Plugins are chosen before the run (plugins/select.ts); an unreachable download would only cost time.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...context.env,
  };
}

/** Runs one `pulumi` command in the sandbox's project. */
export function runPulumi(
  context: PulumiContext,
  args: readonly string[],
  options: PulumiOptions = {},
): Promise<PulumiResult> {
  return runProgram(context.pulumi.path, [...args, "--non-interactive"], {
    ...options,
    cwd: context.layout.project,
    env: { ...pulumiEnvironment(context), ...options.env },
  });
}

/** Runs a program to its end and hands on what it prints as it comes; an abort interrupts it. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: Omit<PulumiOptions, "env"> & {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
  },
): Promise<PulumiResult> {
  const { promise, resolve, reject } = Promise.withResolvers<PulumiResult>();
  const { cwd, env, signal } = options;
  const child = spawn(command, [...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal, killSignal: "SIGINT" }),
  });
  let output = "";
  const collect = (data: Buffer): void => {
    output += data.toString();
    options.onOutput?.(data.toString());
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.once("error", reject);
  child.once("close", (code) => {
    resolve({ code: code ?? 1, output });
  });
  return promise;
}
