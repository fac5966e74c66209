/**
 * Stand-in for `pulumi-language-nodejs`, for machines that cannot reach Pulumi's downloads: starts the Node SDK's own
 * entry points for programs and policy packs, as the official host does
 * (pulumi/pulumi@v3.259.0:sdk/nodejs/cmd/pulumi-language-nodejs/main.go). It serves one local engine.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import languageServices from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import { CHANNEL_OPTIONS, listen } from "./grpc.ts";
import { PolicyProxy } from "./policy-proxy.ts";

type RunRequest = InstanceType<typeof language.RunRequest>;
type RunPluginCall = grpc.ServerWritableStream<
  InstanceType<typeof language.RunPluginRequest>,
  InstanceType<typeof language.RunPluginResponse>
>;

const VERSION = "3.259.0-standin";
/** Exit code of a program that has already told the user what is wrong (sdk/nodejs/cmd/run/run.ts). */
const EXITED_AFTER_MESSAGE = 32;
const [engineAddress = ""] = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));

async function run(request: RunRequest): Promise<InstanceType<typeof language.RunResponse>> {
  const response = new language.RunResponse();
  const info = request.getInfo();
  if (info === undefined) return response.setError("the engine named no program");
  const folder = info.getProgramDirectory();
  const args = [
    resolveFrom(folder, "@pulumi/pulumi/cmd/run"),
    ...runArguments(request),
    info.getEntryPoint(),
  ];
  const child = spawn(
    process.execPath,
    [...nodeArguments(info), ...args, ...request.getArgsList()],
    {
      cwd: request.getPwd(),
      env: { ...process.env, ...configEnvironment(request) },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  running.add(child);
  const code = await new Promise<number>((resolve) =>
    child.once("close", (status) => resolve(status ?? 1)),
  );
  running.delete(child);
  if (code === EXITED_AFTER_MESSAGE) return response.setBail(true);
  return code === 0
    ? response
    : response.setError(`Program exited with non-zero exit code: ${code}`);
}

/** The project's `nodeargs`, split at blanks: the stand-in knows no quotes. */
function nodeArguments(info: InstanceType<typeof language.ProgramInfo>): string[] {
  const options = info.getOptions()?.toJavaScript() as { nodeargs?: string } | undefined;
  return (options?.nodeargs ?? "").split(" ").filter((argument) => argument !== "");
}

const running = new Set<ReturnType<typeof spawn>>();

function runArguments(request: RunRequest): string[] {
  const info = request.getInfo();
  const options: readonly (readonly [string, string])[] = [
    ["monitor", request.getMonitorAddress()],
    ["engine", engineAddress],
    ["organization", request.getOrganization()],
    ["project", request.getProject()],
    ["root-directory", info?.getRootDirectory() ?? ""],
    ["stack", request.getStack()],
    ["pwd", info?.getProgramDirectory() ?? ""],
    ["parallel", String(request.getParallel())],
  ];
  const given = options
    .filter(([, value]) => value !== "")
    .flatMap(([key, value]) => [`--${key}`, value]);
  return request.getDryrun() ? [...given, "--dry-run"] : given;
}

/** Configuration as the SDK reads it: `namespace:config:name`, and the keys that are secrets. */
function configEnvironment(request: RunRequest): Record<string, string> {
  const entries = request.getConfigMap().getEntryList();
  const config = Object.fromEntries(
    entries.map(([key, value]) => [key.replace(":", ":config:"), value]),
  );
  return {
    PULUMI_CONFIG: JSON.stringify(config),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
  };
}

async function runPlugin(call: RunPluginCall): Promise<void> {
  const { request } = call;
  const folder = request.getInfo()?.getProgramDirectory() ?? "";
  const isPolicyPack = request.getKind() === "analyzer";
  const proxy = isPolicyPack ? new PolicyProxy() : undefined;
  const environment = parseEnvironment(request.getEnvList());
  if (proxy !== undefined) {
    call.write(new language.RunPluginResponse().setStdout(Buffer.from(`${await proxy.start()}\n`)));
    Object.assign(environment, packEnvironment(await proxy.configuration));
  }
  const entry = isPolicyPack
    ? "@pulumi/pulumi/cmd/run-policy-pack"
    : "@pulumi/pulumi/cmd/run-plugin";
  const args = isPolicyPack
    ? [...request.getArgsList(), folder]
    : [folder, ...request.getArgsList()];
  const child = spawn(process.execPath, [resolveFrom(folder, entry), ...args], {
    cwd: isPolicyPack ? folder : request.getPwd(),
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  call.on("cancelled", () => child.kill());
  child.stderr.on("data", (data: Buffer) =>
    call.write(new language.RunPluginResponse().setStderr(data)),
  );
  forwardOutput(child.stdout, call, proxy);
  child.once("close", (code) => {
    running.delete(child);
    proxy?.stop("the policy pack has ended");
    call.write(new language.RunPluginResponse().setExitcode(code ?? 1));
    call.end();
  });
}

/** A plugin prints its port first; a policy pack's goes to the proxy, everything else to the engine. */
function forwardOutput(
  stdout: Readable,
  call: RunPluginCall,
  proxy: PolicyProxy | undefined,
): void {
  let waiting = proxy === undefined ? undefined : "";
  stdout.on("data", (data: Buffer) => {
    if (waiting === undefined) {
      call.write(new language.RunPluginResponse().setStdout(data));
      return;
    }
    waiting += data.toString();
    const end = waiting.indexOf("\n");
    if (end < 0) return;
    proxy?.attach(Number(waiting.slice(0, end)));
    const rest = waiting.slice(end + 1);
    waiting = undefined;
    if (rest !== "") call.write(new language.RunPluginResponse().setStdout(Buffer.from(rest)));
  });
}

function packEnvironment(
  configuration: Awaited<PolicyProxy["configuration"]>,
): Record<string, string> {
  if (configuration === undefined) return {};
  const config = Object.fromEntries(configuration.getConfigMap().getEntryList());
  return {
    PULUMI_NODEJS_ORGANIZATION: configuration.getOrganization(),
    PULUMI_NODEJS_PROJECT: configuration.getProject(),
    PULUMI_NODEJS_STACK: configuration.getStack(),
    PULUMI_NODEJS_DRY_RUN: String(configuration.getDryRun()),
    PULUMI_CONFIG: JSON.stringify(config),
  };
}

function parseEnvironment(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function resolveFrom(folder: string, module: string): string {
  return createRequire(join(folder, "package.json")).resolve(module);
}

function answer<Request, Response>(
  work: (request: Request) => Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    work(call.request).then(
      (response) => callback(null, response),
      (error: unknown) =>
        callback({ code: grpc.status.INTERNAL, details: (error as Error).message }),
    );
  };
}

const server = new grpc.Server(CHANNEL_OPTIONS);
server.addService(languageServices.LanguageRuntimeService, {
  handshake: answer(() => Promise.resolve(new language.LanguageHandshakeResponse())),
  getPluginInfo: answer(() => Promise.resolve(new pluginMessages.PluginInfo().setVersion(VERSION))),
  // The program's plugins are chosen before the run (select.ts), so the engine has nothing to install.
  getRequiredPackages: answer(() => Promise.resolve(new language.GetRequiredPackagesResponse())),
  run: answer(run),
  runPlugin: (call: RunPluginCall) => {
    runPlugin(call).catch((error: unknown) => call.destroy(error as Error));
  },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(1);
  });
}
process.stdout.write(`${await listen(server)}\n`);
