import { Module } from "node:module";

/**
 * Lets `require(name)` answer with a stand-in that loads the module when something of it is first read. A module that
 * is loaded already, or is not installed, stays as it is: then `require` says so to whoever asks.
 */
export function defer(require: NodeJS.Require, name: string): void {
  const file = locate(require, name);
  if (file === undefined || require.cache[file] !== undefined) return;
  const load = (): object => {
    if (require.cache[file] === deferred) Reflect.deleteProperty(require.cache, file);
    return require(name) as object;
  };
  const deferred = new Module(file);
  deferred.loaded = true;
  deferred.exports = new Proxy(
    {},
    {
      // Whoever imports CommonJS asks this first (TypeScript's __importStar copies every key of a module without it).
      get: (_target, key) => key === "__esModule" || (Reflect.get(load(), key) as unknown),
      has: (_target, key) => Reflect.has(load(), key),
    },
  );
  require.cache[file] = deferred;
}

function locate(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
