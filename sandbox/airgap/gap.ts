import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contents } from "../../bundle/contents.ts";
import { NAMES, parseBundleManifest } from "../../bundle/manifest.ts";
import type { Mode } from "../../config/schema.ts";
import { stateFolder } from "../paths.ts";
import { logEnd, readAccessLog } from "../registry/access-log.ts";
import type { AccessEntry } from "../registry/access-log.ts";
import { REGISTRY_USER } from "../registry/config.ts";
import { prepareRegistry, startRegistry } from "../registry/server.ts";
import type { SandboxRegistry } from "../registry/server.ts";
import { openStack } from "../session/session.ts";
import type { Session } from "../session/session.ts";
import { PROGRAM_ROOT } from "../session/project.ts";
import { runProgram, runPulumi } from "../session/pulumi.ts";
import type { PulumiOptions, PulumiResult } from "../session/pulumi.ts";
import { acquireTools } from "../toolchain/index.ts";
import type { Tool, ToolProgress } from "../toolchain/index.ts";
import { fillRegistry } from "./fill.ts";
import type { BuiltImages, Filled } from "./fill.ts";
import { proxyEnvironment, startRefusingProxy } from "./refusing-proxy.ts";
import type { RefusingProxy } from "./refusing-proxy.ts";
import { airgapConfig, airgapStackText, PASSWORDS } from "./stack.ts";
import { traceRows } from "./trace.ts";
import type { TraceRow } from "./trace.ts";

/** The stack file that is installed across the gap, and in which mode. */
export interface GapStack {
  readonly file: string;
  /** @default the file's own */
  readonly mode?: Mode | undefined;
}

/** An air gap on this machine, before anything runs in it: what a stack file has to say is known already. */
export interface PlannedGap {
  readonly name: string;
  readonly registry: SandboxRegistry;
  /** Folder of CRD files. */
  readonly manifests: string;
  /** Folder of stand-ins and packed charts. */
  readonly work: string;
}

/** An air gap: a registry inside, and no way out. */
export interface Gap extends PlannedGap {
  readonly proxy: RefusingProxy;
  readonly tool: Tool;
  /** For everything that runs inside. */
  readonly env: Readonly<Record<string, string>>;
  /** Where in the registry's log the requests from inside begin. */
  readonly from: { log: number };
}

/** Chooses where the registry will be; starts nothing. */
export async function planGap(name: string): Promise<PlannedGap> {
  const folder = join(stateFolder(name), "airgap");
  const registry = await prepareRegistry(name);
  return { name, registry, manifests: join(folder, "manifests"), work: join(folder, "work") };
}

/** Starts the registry, which stays until `sandbox down`, and the proxy, which ends with {@link closeGap}. */
export async function openGap(
  planned: PlannedGap,
  report: (progress: ToolProgress) => void,
  signal?: AbortSignal,
): Promise<Gap> {
  const abort = signal === undefined ? {} : { signal };
  const { registry: tool } = await acquireTools({ report, ...abort }, ["registry"]);
  report({ phase: "start registry", done: 0, total: 1, detail: planned.registry.host });
  await startRegistry(planned.registry, tool.path);
  const proxy = await startRefusingProxy();
  return { ...planned, proxy, tool, env: proxyEnvironment(proxy.url), from: { log: 0 } };
}

/** Ends what lives as long as one command. */
export async function closeGap({ proxy }: Gap): Promise<void> {
  await proxy.stop();
}

/** The session whose commands all run inside. */
export async function insideGap(session: Session, gap: Gap): Promise<Session> {
  const env = { ...gap.env, ...(await helmLogin(session, gap)) };
  return { ...session, context: { ...session.context, env } };
}

/**
 * The provider that the Go module proxy has is older than 4.27.0, which was the first to log in to an OCI registry with
 * the credentials of a chart, and to trust its CA for them (pulumi/pulumi-kubernetes@v4.32.0:CHANGELOG.md). It gets the
 * login as `helm registry login` leaves it, in a file that only this user reads, and the CA as all Go programs take it.
 * Newer ones need neither.
 */
async function helmLogin(
  { plugins }: Session,
  { registry, work }: Gap,
): Promise<Readonly<Record<string, string>>> {
  if (!plugins.some(({ kind }) => kind === "built")) return {};
  const file = join(work, "..", "helm-registry.json");
  const { username, password } = REGISTRY_USER;
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  await mkdir(work, { recursive: true });
  await writeFile(file, JSON.stringify({ auths: { [registry.host]: { auth } } }), { mode: 0o600 });
  return {
    HELM_REGISTRY_CONFIG: file,
    // For releases; charts heed the name above.
    PULUMI_K8S_HELM_REGISTRY_CONFIG_PATH: file,
    SSL_CERT_FILE: registry.certificates.ca,
  };
}

/** The stack file as commands without Pulumi read it. */
export async function gapStackFile(
  gap: PlannedGap,
  stack: GapStack,
  images?: Readonly<Record<string, string>>,
): Promise<string> {
  const text = await readFile(stack.file, "utf8");
  const file = join(gap.work, "..", "stack.yaml");
  await mkdir(gap.work, { recursive: true });
  await writeFile(file, airgapStackText(text, await configFor(gap, stack, images)));
  return file;
}

/** Loads a bundle as a user does, then fills up what the registry does not have. */
export async function fillGap(
  gap: Gap,
  filling: {
    readonly contents: Contents;
    readonly charts?: string | undefined;
    readonly bundle?: string | undefined;
    readonly built?: BuiltImages | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Filled> {
  const { registry, work, manifests } = gap;
  const { bundle, ...rest } = filling;
  const loaded = bundle === undefined ? new Set<string>() : await filesOf(bundle);
  const filled = await fillRegistry({ ...rest, registry, work, manifests, loaded });
  gap.from.log = await logEnd(registry.layout.logFile);
  return filled;
}

/** Writes the stack into the sandbox's project, with its passwords as Pulumi's secrets. */
export async function openGapStack(
  session: Session,
  gap: Gap,
  stack: GapStack & { readonly name: string },
  more: {
    readonly images?: Readonly<Record<string, string>>;
    readonly config?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<void> {
  const config = { ...(await configFor(gap, stack, more.images)), ...more.config };
  await openStack(session, stack, config);
  const secrets = PASSWORDS.flatMap((path) => ["--secret", `${path}=${REGISTRY_USER.password}`]);
  const args = ["config", "set-all", "--stack", stack.name, "--path", ...secrets];
  const result = await runPulumi(session.context, args);
  if (result.code !== 0) throw new Error(`pulumi config set-all failed:\n${result.output}`);
}

/** Runs `platform bundle load` or `verify` inside, as a user would. */
export function runBundle(
  gap: Gap,
  args: readonly string[],
  options: PulumiOptions = {},
): Promise<PulumiResult> {
  const env = {
    ...process.env,
    ...gap.env,
    KSERVE_REGISTRY_USERNAME: REGISTRY_USER.username,
    KSERVE_REGISTRY_PASSWORD: REGISTRY_USER.password,
  };
  const platform = join(PROGRAM_ROOT, "cli", "platform.js");
  return runProgram(process.execPath, [platform, "bundle", ...args], {
    ...options,
    cwd: PROGRAM_ROOT,
    env,
  });
}

/** What has been asked for from inside since the registry was filled. */
export async function gapTrace(gap: Gap): Promise<TraceRow[]> {
  return traceRows(gap.registry.host, await gapRequests(gap), gap.proxy.refused);
}

/** What the registry was asked for since it was filled. */
export function gapRequests({ registry, from }: Gap): Promise<AccessEntry[]> {
  return readAccessLog(registry.layout.logFile, from.log);
}

async function configFor(
  { registry, manifests }: PlannedGap,
  { file, mode }: GapStack,
  images: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  return airgapConfig(await readFile(file, "utf8"), { registry, manifests, mode, images });
}

async function filesOf(bundle: string): Promise<Set<string>> {
  const manifest = parseBundleManifest(await readFile(join(bundle, NAMES.manifest), "utf8"));
  return new Set([...(manifest?.charts ?? []), ...(manifest?.manifests ?? [])].map((f) => f.file));
}
