import { Module } from "node:module";

/**
 * Lets `require(name)` answer with a stand-in that loads the module when something of it is first read. A module that
 * is loaded already, or is not installed, stays as it is: then `require` says so to whoever asks.
 */
export function defer(require: NodeJS.Require, name: string): void {
  replace(require, name, (load) => ({
    // Whoever imports CommonJS asks this first (TypeScript's __importStar copies every key of a module without it).
    get: (_target, key) => key === "__esModule" || (Reflect.get(load(), key) as unknown),
    has: (_target, key) => Reflect.has(load(), key),
  }));
}

/**
 * As `defer`, for a module of functions and classes that others read at once and use later, or never
 * (`const { NodeTracerProvider } = require(...)`): it is loaded when one of them is called.
 */
export function deferCalls(require: NodeJS.Require, name: string): void {
  replace(require, name, (load) => {
    const exported = (key: string | symbol): object => Reflect.get(load(), key) as object;
    return {
      get: (_target, key) =>
        key === "__esModule" ||
        new Proxy(class {}, {
          apply: (_class, self, args) =>
            Reflect.apply(exported(key) as () => unknown, self, args) as unknown,
          construct: (_class, args) =>
            Reflect.construct(exported(key) as new () => object, args) as object,
        }),
    };
  });
}

/** Puts a module of that name into the cache whose exports are seen through the given traps. */
function replace(
  require: NodeJS.Require,
  name: string,
  trapsOf: (load: () => object) => ProxyHandler<object>,
): void {
  const file = locate(require, name);
  if (file === undefined || require.cache[file] !== undefined) return;
  const deferred = new Module(file);
  const load = (): object => {
    if (require.cache[file] === deferred) Reflect.deleteProperty(require.cache, file);
    return require(name) as object;
  };
  deferred.loaded = true;
  deferred.exports = new Proxy({}, trapsOf(load));
  require.cache[file] = deferred;
}

function locate(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
