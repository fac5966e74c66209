import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isObject } from "./value.ts";
import { textAt } from "./object.ts";
import type { Session } from "./session.ts";
import type { Json, JsonObject } from "./value.ts";

/** Key and value that mark an asset (pulumi/pulumi@v3.259.0:sdk/go/common/resource/sig/sig.go). */
const ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17";
/** How much of a failed run's last lines an error shows. */
const SHOWN_CHARACTERS = 4000;

/** Files of one run of helm: kubeconfig, values, certificates. Only this user can read them, and they end with the run. */
export interface Workspace {
  readonly folder: string;
  readonly kubeconfig: string;
  /** Writes a file and gives its path. */
  file(name: string, content: string): Promise<string>;
}

/** One run of helm. */
export interface HelmRun {
  readonly args: readonly string[];
  readonly input?: string;
}

/** Runs something with a {@link Workspace} that is removed afterwards, whatever happens. */
export async function withWorkspace<T>(
  session: Session,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "kserve-platform-helm-"));
  try {
    const file = async (name: string, content: string): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, content, { mode: 0o600 });
      return path;
    };
    const { context } = session.selection;
    const config =
      context === undefined
        ? session.kubeconfig
        : { ...session.kubeconfig, "current-context": context };
    return await work({
      folder,
      kubeconfig: await file("kubeconfig", JSON.stringify(config)),
      file,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs helm and gives its output. Throws its last words when it fails. */
export async function runHelm(
  session: Session,
  workspace: Workspace,
  run: HelmRun,
): Promise<string> {
  const env = {
    ...process.env,
    KUBECONFIG: workspace.kubeconfig,
    ...helmEnvironment(session.helm),
  };
  const child = spawn("helm", run.args, {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    signal: session.cancelled,
    killSignal: "SIGINT",
  });
  const output: string[] = [];
  const errors: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(run.input ?? "");
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", (error) =>
    reject(new Error(`helm could not be started: ${error.message}; it must be on PATH`)),
  );
  child.on("close", resolve);
  const code = await promise;
  if (code === 0) return output.join("");
  throw new Error(
    errors
      .join("")
      .trim()
      .replace(/^Error: /m, "")
      .slice(-SHOWN_CHARACTERS),
  );
}

/** Options that say where a chart comes from. */
export async function sourceOptions(workspace: Workspace, inputs: JsonObject): Promise<string[]> {
  const repository = isObject(inputs["repositoryOpts"]) ? inputs["repositoryOpts"] : {};
  const texts: readonly (readonly [string, string])[] = [
    ["--version", textAt(inputs, "version")],
    ["--repo", textAt(repository, "repo")],
    ["--username", textAt(repository, "username")],
    ["--password", textAt(repository, "password")],
    ["--ca-file", await assetFile(workspace, "ca", repository["caFile"])],
    ["--cert-file", await assetFile(workspace, "cert", repository["certFile"])],
    ["--key-file", await assetFile(workspace, "key", repository["keyFile"])],
    ["--keyring", await assetFile(workspace, "keyring", inputs["keyring"])],
  ];
  const isOci = textAt(inputs, "chart").startsWith("oci://");
  const given = texts.filter(([option, value]) => value !== "" && !(isOci && option === "--repo"));
  const switches: readonly (readonly [string, Json | undefined])[] = [
    ["--devel", inputs["devel"]],
    ["--verify", inputs["verify"]],
    ["--plain-http", inputs["plainHttp"]],
    ["--dependency-update", inputs["dependencyUpdate"]],
  ];
  return [
    ...given.flat(),
    ...switches.filter(([, value]) => value === true).map(([option]) => option),
  ];
}

/** Options for values, written to files because they may hold secrets and are long. */
export async function valueOptions(workspace: Workspace, inputs: JsonObject): Promise<string[]> {
  const files = Array.isArray(inputs["valueYamlFiles"]) ? inputs["valueYamlFiles"] : [];
  const paths = await Promise.all(
    files.map((file, index) => assetFile(workspace, `values-${index}.yaml`, file)),
  );
  const values = isObject(inputs["values"]) ? inputs["values"] : {};
  return [...paths, await workspace.file("values.json", JSON.stringify(values))].flatMap((path) => [
    "--values",
    path,
  ]);
}

async function assetFile(
  workspace: Workspace,
  name: string,
  value: Json | undefined,
): Promise<string> {
  if (typeof value === "string") return value;
  if (!isObject(value) || !Object.values(value).includes(ASSET_SIGNATURE)) return "";
  const path = textAt(value, "path");
  return path === "" ? workspace.file(name, textAt(value, "text")) : path;
}

function helmEnvironment(settings: JsonObject): Record<string, string> {
  const variables: readonly (readonly [string, string])[] = [
    ["HELM_DRIVER", textAt(settings, "driver")],
    ["HELM_PLUGINS", textAt(settings, "pluginsPath")],
    ["HELM_REGISTRY_CONFIG", textAt(settings, "registryConfigPath")],
    ["HELM_REPOSITORY_CACHE", textAt(settings, "repositoryCache")],
    ["HELM_REPOSITORY_CONFIG", textAt(settings, "repositoryConfigPath")],
  ];
  return Object.fromEntries(variables.filter(([, value]) => value !== ""));
}
