/**
 * A thread of its own for the program's requests. While Kubernetes' client loads, 0.15 s here and 0.4 s with all of it, the
 * program could not answer the engine. Started by cluster-connection.ts, never imported.
 */
import { registerHooks } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { Settings } from "../config/schema.ts";
import type { Call, Reply } from "./cluster-connection.ts";

/**
 * The client's own typed calls, nine tenths of its modules and two thirds of its loading time. The reading of
 * kubeconfigs, which is all that is asked of it here, names two of them and uses them for typed calls alone.
 * (kubernetes-client/javascript@2.0.1:src/config.ts, makeApiClient)
 */
const TYPED_CALLS = "./gen/index.js";
const NO_TYPED_CALLS =
  "data:text/javascript,export const createConfiguration = undefined; export class ServerConfiguration {}";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === TYPED_CALLS
      ? { url: NO_TYPED_CALLS, shortCircuit: true }
      : next(specifier, context),
});
const { connect } = await import("./cluster-api.ts");
const api = connect(workerData as Settings["kubernetes"]);

parentPort?.on("message", ({ id, method, path, text }: Call) => {
  // Those without a text take none, and ignore the empty one.
  const answer = api[method](path, text);
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
