import { once } from "node:events";
import { Worker } from "node:worker_threads";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema.ts";
import type { Answer, ClusterApi } from "./cluster-api.ts";

/** A request for the worker to make. */
export interface Call {
  readonly id: number;
  readonly method: "get" | "getText" | "tryCreate" | "apply" | "delete";
  readonly path: string;
  /** What is applied or tried; empty for the other methods. */
  readonly text: string;
}

/** What came of the request of that number. */
export type Reply =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly failure: string };

/** The program's own way to the cluster, for hooks: opened once, and only by a run that needs it. */
export class ClusterConnection {
  /** For what an installation creates first: by the time the definitions are there, the client is, too. */
  readonly openEarly: pulumi.ResourceHook;
  readonly #kubernetes: Settings["kubernetes"];
  #api: Promise<ClusterApi> | undefined;

  constructor(kubernetes: Settings["kubernetes"]) {
    this.#kubernetes = kubernetes;
    this.openEarly = new pulumi.ResourceHook("open-connection", () => {
      // A failure belongs to whoever uses the connection.
      this.open().catch(() => undefined);
    });
  }

  open(): Promise<ClusterApi> {
    this.#api ??= openCluster(this.#kubernetes);
    return this.#api;
  }
}

/** Starts the thread and waits until it knows the cluster; rejects with its error where the kubeconfig names none. */
export async function openCluster(kubernetes: Settings["kubernetes"]): Promise<ClusterApi> {
  const workerData = structuredClone(kubernetes);
  const entry = new URL("./cluster-worker.ts", import.meta.url);
  // Options of the program's own start are for the program, and some are no thread's.
  const worker = new Worker(entry, { workerData, execArgv: [] });
  const [server] = (await once(worker, "message")) as [string];
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  worker.on("message", (reply: Reply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("answer" in reply) call?.resolve(reply.answer);
    else call?.reject(new Error(reply.failure));
    if (waiting.size === 0) worker.unref();
  });
  const fail = (error: Error): void => {
    for (const call of waiting.values()) call.reject(error);
    waiting.clear();
  };
  worker.on("error", fail);
  worker.on("exit", (code) => {
    fail(new Error(`the thread of the connection has ended (${String(code)})`));
  });
  // The program ends when nothing is left to do, and an idle thread is nothing. After the listeners: each takes it back.
  worker.unref();
  let last = 0;
  const send = (method: Call["method"], path: string, text = ""): Promise<Answer> => {
    last += 1;
    const call = Promise.withResolvers<Answer>();
    waiting.set(last, call);
    worker.ref();
    worker.postMessage({ id: last, method, path, text } satisfies Call);
    return call.promise;
  };
  return {
    server,
    get: (path) => send("get", path),
    getText: (path) => send("getText", path),
    tryCreate: (path, text) => send("tryCreate", path, text),
    apply: (path, text) => send("apply", path, text),
    delete: (path) => send("delete", path),
  };
}

/** What the API server said to a request that it refused, for reports. */
export function refusalOf({ status, body }: Answer): string {
  const { message = "without a message" } = body as { readonly message?: string };
  return `${String(status)} ${message}`;
}
