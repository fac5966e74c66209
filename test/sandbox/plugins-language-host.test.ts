import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as grpc from "@grpc/grpc-js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import analyzerServices from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";
import languageServices from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const HOST = resolve(import.meta.dirname, "../../sandbox/plugins/language-host.ts");
const ENGINE = "127.0.0.1:1";

/** Stands for `cmd/run` of the SDK: writes down how it was started, ends as the program's first argument says. */
const RUN = `
const { writeFileSync } = require("node:fs");
const { PULUMI_CONFIG, PULUMI_CONFIG_SECRET_KEYS, HOME } = process.env;
const seen = { args: process.argv.slice(2), node: process.execArgv, cwd: process.cwd(), PULUMI_CONFIG, PULUMI_CONFIG_SECRET_KEYS, home: HOME !== undefined };
writeFileSync(process.env.SEEN, JSON.stringify(seen));
process.exit(Number(process.argv.at(-1)));
`;

/** Stands for `cmd/run-policy-pack`: says a port, then serves nothing. */
const RUN_PACK = `
const { writeFileSync } = require("node:fs");
const names = ["PULUMI_NODEJS_ORGANIZATION", "PULUMI_NODEJS_PROJECT", "PULUMI_NODEJS_STACK", "PULUMI_NODEJS_DRY_RUN", "PULUMI_CONFIG", "GIVEN"];
const seen = { args: process.argv.slice(2), cwd: process.cwd(), env: Object.fromEntries(names.map((name) => [name, process.env[name]])) };
writeFileSync(process.env.SEEN, JSON.stringify(seen));
process.stdout.write("1\\nhello from the pack\\n");
process.exitCode = 7;
`;

type Client = InstanceType<typeof languageServices.LanguageRuntimeClient>;
type RunRequest = InstanceType<typeof language.RunRequest>;
type RunResponse = InstanceType<typeof language.RunResponse>;
type RunPluginResponse = InstanceType<typeof language.RunPluginResponse>;

let folder = "";
let host: ChildProcess;
let client: Client;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "language-host-")));
  const commands = { run: RUN, "run-policy-pack": RUN_PACK };
  for (const [name, text] of Object.entries(commands)) {
    const module = join(folder, "node_modules/@pulumi/pulumi/cmd", name);
    await mkdir(module, { recursive: true });
    await writeFile(join(module, "index.js"), text);
  }
  host = spawn(process.execPath, [HOST, ENGINE], {
    env: { ...process.env, SEEN: join(folder, "seen.json") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(host.stdout as NonNullable<typeof host.stdout>, "data")) as [Buffer];
  const address = `127.0.0.1:${port.toString().trim()}`;
  client = new languageServices.LanguageRuntimeClient(address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  host.kill();
  await rm(folder, { recursive: true });
});

async function seen(): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, "seen.json"), "utf8"));
}

function programInfo(): InstanceType<typeof language.ProgramInfo> {
  const options = { typescript: false, nodeargs: "--no-warnings  --expose-gc" };
  return new language.ProgramInfo()
    .setOptions(struct.Struct.fromJavaScript(options))
    .setProgramDirectory(folder)
    .setRootDirectory("/root-directory")
    .setEntryPoint("index.ts");
}

function runRequest(exitCode: number): RunRequest {
  const request = new language.RunRequest()
    .setInfo(programInfo())
    .setPwd(folder)
    .setMonitorAddress("127.0.0.1:2")
    .setOrganization("organization")
    .setProject("project")
    .setStack("dev")
    .setParallel(4)
    .setDryrun(true)
    .setConfigsecretkeysList(["project:password"])
    .setArgsList([String(exitCode)]);
  request.getConfigMap().set("project:password", "secret").set("aws:region", "x");
  return request;
}

function run(request: RunRequest): Promise<RunResponse> {
  const { promise, resolve: done, reject } = Promise.withResolvers<RunResponse>();
  client.run(request, (error, response) => {
    if (error === null) done(response);
    else reject(error);
  });
  return promise;
}

describe("a program", () => {
  it("is started with what the engine says about it, in the order the SDK reads it", async () => {
    const response = await run(runRequest(0));
    expect(response.toObject()).toEqual({ error: "", bail: false });
    const options = {
      "--monitor": "127.0.0.1:2",
      "--engine": ENGINE,
      "--organization": "organization",
      "--project": "project",
      "--root-directory": "/root-directory",
      "--stack": "dev",
      "--pwd": folder,
      "--parallel": "4",
    };
    expect(await seen()).toEqual({
      args: [...Object.entries(options).flat(), "--dry-run", "index.ts", "0"],
      node: ["--no-warnings", "--expose-gc"],
      cwd: folder,
      home: true,
      PULUMI_CONFIG: '{"aws:config:region":"x","project:config:password":"secret"}',
      PULUMI_CONFIG_SECRET_KEYS: '["project:password"]',
    });
  });

  it("fails with its exit code, and without a word more when it has said what is wrong", async () => {
    const failed = await run(runRequest(3));
    expect(failed.getError()).toBe("Program exited with non-zero exit code: 3");
    const said = await run(runRequest(32));
    expect(said.toObject()).toEqual({ error: "", bail: true });
  });

  it("is not started without the SDK, and the engine is told", async () => {
    const request = runRequest(0).setInfo(programInfo().setProgramDirectory("/nowhere"));
    await expect(run(request)).rejects.toThrow("@pulumi/pulumi/cmd/run");
  });
});

describe("a policy pack", () => {
  it("is started once the stack is configured, with that configuration in its environment", async () => {
    const request = new language.RunPluginRequest()
      .setInfo(programInfo())
      .setKind("analyzer")
      .setPwd("/")
      .setArgsList(["127.0.0.1:3"])
      .setEnvList(["GIVEN=a=b", `SEEN=${join(folder, "seen.json")}`]);
    const { written, exitCode } = await runPack(request);
    expect(written).toBe("hello from the pack\n");
    expect(exitCode).toBe(7);
    expect(await seen()).toEqual({
      args: ["127.0.0.1:3", folder],
      cwd: folder,
      env: {
        PULUMI_NODEJS_ORGANIZATION: "organization",
        PULUMI_NODEJS_PROJECT: "project",
        PULUMI_NODEJS_STACK: "dev",
        PULUMI_NODEJS_DRY_RUN: "true",
        PULUMI_CONFIG: '{"project:key":"value"}',
        GIVEN: "a=b",
      },
    });
  });
});

/** Runs a pack as the engine does: the first output is a port, which it configures the stack through. */
async function runPack(
  request: InstanceType<typeof language.RunPluginRequest>,
): Promise<{ written: string; exitCode: number }> {
  const stream = client.runPlugin(request);
  let port = 0;
  let written = "";
  let exitCode = -1;
  for await (const part of stream as AsyncIterable<RunPluginResponse>) {
    const text = Buffer.from(part.getStdout_asU8()).toString();
    if (port !== 0) written += text;
    else {
      port = Number(text);
      await configureStack(port);
    }
    if (part.hasExitcode()) exitCode = part.getExitcode();
  }
  return { written, exitCode };
}

async function configureStack(port: number): Promise<void> {
  const request = new analyzer.AnalyzerStackConfigureRequest()
    .setOrganization("organization")
    .setProject("project")
    .setStack("dev")
    .setDryRun(true);
  request.getConfigMap().set("project:key", "value");
  const address = `127.0.0.1:${port}`;
  const pack = new analyzerServices.AnalyzerClient(address, grpc.credentials.createInsecure());
  await new Promise<void>((done, reject) => {
    pack.configureStack(request, (error) => {
      if (error === null) done();
      else reject(error);
    });
  });
  pack.close();
}
