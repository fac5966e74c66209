import { setTimeout as sleep } from "node:timers/promises";
import { keepCompiled } from "../startup/keep-compiled.ts";

/** Milliseconds in which the answer to the engine leaves the process before loading keeps it busy. */
const ANSWER_FIRST = 30;

/**
 * Loads a part of the pack when it is first asked for, which is with the first resource that the engine shows, the
 * stack itself. The engine starts the program only once the pack has answered, and the program then loads for longer
 * than the pack does: rules and catalog cost no time of their own. A failure belongs to whoever waits for the part.
 */
export function later<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    if (loading === undefined) {
      loading = sleep(ANSWER_FIRST).then(load).finally(keepCompiled);
      loading.catch(() => undefined);
    }
    return loading;
  };
}
