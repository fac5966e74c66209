import { Module } from "node:module";

/** Loads the module that something stands in for. */
export type Load = () => object;

/**
 * Lets `require(name)` answer with a stand-in that loads the module when something of it is first read. A module that
 * is loaded already, or is not installed, stays as it is: then `require` says so to whoever asks.
 */
export function defer(require: NodeJS.Require, name: string): void {
  const trapsOf = (load: Load): ProxyHandler<object> => ({
    // Whoever imports CommonJS asks this first (TypeScript's __importStar copies every key of a module without it).
    get: (_target, key) => key === "__esModule" || (Reflect.get(load(), key) as unknown),
    has: (_target, key) => Reflect.has(load(), key),
  });
  standIn(require, name, (load) => new Proxy({}, trapsOf(load)));
}

/**
 * As `defer`, for a module of functions and classes that others read at once and use later, or never
 * (`const { NodeTracerProvider } = require(...)`): it is loaded when one of them is called.
 */
export function deferCalls(require: NodeJS.Require, name: string): void {
  const exported = (load: Load, key: string | symbol): ProxyHandler<object> => ({
    apply: (_class, self, args) =>
      Reflect.apply(Reflect.get(load(), key) as () => unknown, self, args) as unknown,
    construct: (_class, args) =>
      Reflect.construct(Reflect.get(load(), key) as new () => object, args) as object,
  });
  const get = (load: Load) => (_target: object, key: string | symbol) =>
    key === "__esModule" || new Proxy(class {}, exported(load, key));
  standIn(require, name, (load) => new Proxy({}, { get: get(load) }));
}

/**
 * Lets `require(name)` answer with exports of our own, made from a function that loads the module itself and takes them
 * away again. False where that is too late, or there is no such module: then everything stays as it is.
 */
export function standIn(
  require: NodeJS.Require,
  name: string,
  exportsOf: (load: Load) => object,
): boolean {
  const file = locate(require, name);
  if (file === undefined || require.cache[file] !== undefined) return false;
  const module = new Module(file);
  module.loaded = true;
  module.exports = exportsOf(() => {
    if (require.cache[file] === module) Reflect.deleteProperty(require.cache, file);
    return require(name) as object;
  });
  require.cache[file] = module;
  return true;
}

function locate(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}
