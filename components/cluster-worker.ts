/**
 * A thread of its own for the program's requests. Kubernetes' client is a thousand modules, and while they load, which
 * takes half a second, the program could not answer the engine. Started by cluster-connection.ts, never imported.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Settings } from "../config/schema.ts";
import { connect } from "./cluster-api.ts";
import type { Call, Reply } from "./cluster-connection.ts";

const api = connect(workerData as Settings["kubernetes"]);

parentPort?.on("message", ({ id, method, path, text }: Call) => {
  const answer = method === "apply" ? api.apply(path, text) : api[method](path);
  answer.then(
    (value) => {
      reply({ id, answer: value });
    },
    (error: unknown) => {
      reply({ id, failure: (error as Error).message });
    },
  );
});

parentPort?.postMessage(api.server);

function reply(message: Reply): void {
  parentPort?.postMessage(message);
}
