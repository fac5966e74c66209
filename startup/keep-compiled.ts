import * as module from "node:module";

/**
 * Writes what Node has compiled so far to its cache (NODE_COMPILE_CACHE), if there is one. Node does so when a process
 * ends by itself, and a policy pack is killed: it has to be told.
 */
export function keepCompiled(): void {
  module.flushCompileCache();
}
