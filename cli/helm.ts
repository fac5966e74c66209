import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { Values } from "../plan/plan.ts";

const run = promisify(execFile);
/** Rendered CRD charts of KServe alone take 1.4 MB. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const TIMEOUT_MS = 120_000;
/** Definitions hold no image that runs, only examples in their descriptions, and take most of the parsing time. */
const DEFINITION = /^kind:\s*["']?CustomResourceDefinition\b/m;

/** Path of helm: on PATH, or the one that the sandbox fetched or built; `undefined` when there is none. */
export async function findHelm(): Promise<string | undefined> {
  // Only this command needs the sandbox's parts; the others start faster without them.
  const { findExecutable } = await import("../sandbox/toolchain/on-path.ts");
  const { isStored, storedPath, toolStore } = await import("../sandbox/toolchain/store.ts");
  const { cacheFolder } = await import("../sandbox/paths.ts");
  const found = await findExecutable("helm", process.env["PATH"] ?? "");
  if (found !== undefined) return found;
  const store = toolStore(cacheFolder());
  return (await isStored(store, "helm")) ? storedPath(store, "helm") : undefined;
}

/** What helm is asked to render. */
export interface RenderRequest {
  readonly helm: string;
  /** Folder or `.tgz`. */
  readonly chart: string;
  readonly values: Values;
  /** Version that the chart's conditions see; without it a helm built from source takes the cluster for 1.20. */
  readonly kubernetes: string;
}

/** Objects of a rendered chart, without definitions. Throws an error whose message is what helm said. */
export async function renderChart(request: RenderRequest): Promise<unknown[]> {
  const { helm, chart, values, kubernetes } = request;
  const args = ["template", "verify", chart, "--namespace", "verify", "--kube-version", kubernetes];
  const rendering = run(helm, [...args, "--values", "-"], {
    maxBuffer: MAX_OUTPUT_BYTES,
    timeout: TIMEOUT_MS,
  });
  rendering.child.stdin?.on("error", () => undefined).end(JSON.stringify(values));
  const { stdout } = await rendering.catch((error: unknown) => {
    throw new Error(helmMessage(error));
  });
  return stdout
    .split(/^---.*$/m)
    .filter((text) => !DEFINITION.test(text))
    .flatMap((text) => parseAllDocuments(text, { uniqueKeys: false }))
    .flatMap((document) => {
      const object: unknown = document.toJS();
      return object === null || object === undefined ? [] : [object];
    });
}

function helmMessage(error: unknown): string {
  const { stderr, message } = error as Partial<Record<"stderr" | "message", string>>;
  const text = stderr === undefined || stderr.trim() === "" ? (message ?? "") : stderr;
  return text.trim().replace(/^Error: /, "");
}
