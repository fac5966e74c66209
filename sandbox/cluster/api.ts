import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";

const TIMEOUT_MS = 5_000;
/** The API server reads it as YAML, of which JSON is a part. */
const APPLY = "application/apply-patch+yaml";
const FIELD_MANAGER = "kserve-platform-sandbox";

/** Answer of the API server; `status` 0 stands for no answer at all. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** The few requests that the sandbox itself makes, with the cluster's admin certificate. */
export interface ApiClient {
  readonly server: string;
  get(path: string): Promise<ApiAnswer>;
  post(path: string, body: unknown): Promise<ApiAnswer>;
  /** Server-side apply: creates the object at `path` or makes our fields of it so. */
  apply(path: string, body: unknown): Promise<ApiAnswer>;
  /** Closes kept connections, which would keep the process alive. */
  close(): void;
}

/** PEM texts that kwokctl made for the cluster. */
export interface ClusterKeys {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Reads the cluster's keys from kwokctl's folder. */
export async function readKeys(clusterFolder: string): Promise<ClusterKeys> {
  const read = (file: string) => readFile(join(clusterFolder, "pki", file), "utf8");
  const [ca, cert, key] = await Promise.all([read("ca.crt"), read("admin.crt"), read("admin.key")]);
  return { ca, cert, key };
}

/** A client for a server such as `https://127.0.0.1:6443`. No answer is an answer: nothing here throws. */
export function apiClient(server: string, keys: ClusterKeys): ApiClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ...keys });
  const send = (method: string, path: string, body?: unknown, type = "application/json") =>
    exchange(new URL(path, server), agent, { method, body, type });
  return {
    server,
    get: (path) => send("GET", path),
    post: (path, body) => send("POST", path, body),
    apply: (path, body) =>
      send("PATCH", `${path}?fieldManager=${FIELD_MANAGER}&force=true`, body, APPLY),
    close: () => agent.destroy(),
  };
}

function exchange(
  url: URL,
  agent: Agent,
  { method, body, type }: { method: string; body?: unknown; type: string },
): Promise<ApiAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = text === undefined ? {} : { "content-type": type };
  return new Promise((resolve) => {
    const failed = () => resolve({ status: 0, body: "" });
    const call = request(url, { method, agent, headers, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", failed);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    call.on("timeout", () => call.destroy());
    call.on("error", failed);
    call.end(text);
  });
}
