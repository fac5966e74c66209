import { request } from "node:https";
import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { Settings } from "../config/schema.ts";

/** An answer of the API server. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Just enough of a client: typed ones decode YAML with parsers that refuse what Go's accept. */
export interface ClusterApi {
  /** Address of the API server, for messages. */
  readonly server: string;
  get(path: string): Promise<Answer>;
  /** Server-side apply of one object, as text in YAML or JSON. */
  apply(path: string, text: string): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

/** Name under which the API server records what this program owns of an object. */
const FIELD_MANAGER = "kserve-platform";
/** Milliseconds until one request counts as lost. */
const TIMEOUT = 60_000;

/** Connects as the Kubernetes provider does: the stack's kubeconfig and context, else the usual places. */
export function connect(kubernetes: Settings["kubernetes"]): ClusterApi {
  const config = new KubeConfig();
  if (kubernetes.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubernetes.kubeconfig);
  if (kubernetes.context !== undefined) config.setCurrentContext(kubernetes.context);
  const server = config.getCurrentCluster()?.server ?? "";
  const send = (method: string, path: string, text?: string): Promise<Answer> =>
    sendTo(config, new URL(path, `${server}/`), {
      method,
      ...(text === undefined ? {} : { text }),
    });
  const force = `?fieldManager=${FIELD_MANAGER}&force=true`;
  return {
    server,
    get: (path) => send("GET", path),
    apply: (path, text) => send("PATCH", path + force, text),
    delete: (path) => send("DELETE", path),
  };
}

async function sendTo(
  config: KubeConfig,
  url: URL,
  call: { readonly method: string; readonly text?: string },
): Promise<Answer> {
  const options: RequestOptions = { method: call.method, timeout: TIMEOUT };
  options.headers = { Accept: "application/json" };
  if (call.text !== undefined) options.headers["Content-Type"] = "application/apply-patch+yaml";
  await config.applyToHTTPSOptions(options);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(url, options, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      resolve({ status: response.statusCode ?? 0, body: decode(Buffer.concat(chunks).toString()) });
    });
  });
  outgoing.on("error", reject);
  outgoing.on("timeout", () => {
    outgoing.destroy(new Error(`no answer within ${String(TIMEOUT / 1000)} s`));
  });
  outgoing.end(call.text);
  return promise;
}

/** A proxy in between may answer with something else than JSON; its text is the message then. */
function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 500) };
  }
}
