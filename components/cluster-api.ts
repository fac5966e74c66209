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
  /** Like `get`, for answers that are plain text (the log of a pod): the body is that text. */
  getText(path: string): Promise<Answer>;
  /**
   * Asks whether the API server would create an object, given as JSON, in the collection at that path: every webhook
   * that judges it is called, and nothing is stored.
   */
  tryCreate(path: string, text: string): Promise<Answer>;
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
  const send = (path: string, call: Call): Promise<Answer> =>
    sendTo(config, new URL(path, `${server}/`), call);
  const manager = `?fieldManager=${FIELD_MANAGER}`;
  return {
    server,
    get: (path) => send(path, { method: "GET" }),
    getText: (path) => send(path, { method: "GET", plain: true }),
    tryCreate: (path, text) =>
      send(`${path}${manager}&dryRun=All`, { method: "POST", text, type: "application/json" }),
    apply: (path, text) =>
      send(`${path}${manager}&force=true`, {
        method: "PATCH",
        text,
        type: "application/apply-patch+yaml",
      }),
    delete: (path) => send(path, { method: "DELETE" }),
  };
}

/** One request; `plain` asks for the answer as it is. */
interface Call {
  readonly method: string;
  readonly text?: string;
  readonly type?: string;
  readonly plain?: boolean;
}

async function sendTo(config: KubeConfig, url: URL, call: Call): Promise<Answer> {
  const options: RequestOptions = { method: call.method, timeout: TIMEOUT };
  options.headers = { Accept: call.plain === true ? "*/*" : "application/json" };
  if (call.type !== undefined) options.headers["Content-Type"] = call.type;
  await config.applyToHTTPSOptions(options);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(url, options, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      resolve({
        status: response.statusCode ?? 0,
        body: call.plain === true ? text : decode(text),
      });
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
