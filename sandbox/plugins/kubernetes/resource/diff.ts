import { isObject } from "../value.ts";
import type { Json, JsonObject } from "../value.ts";

/** What happens to a field. */
export type Change = "add" | "delete" | "update";

/**
 * Differences between what the cluster had, pruned to the program's fields, and what the program wants now: path to
 * change (provider.go, convertPatchToDiff over a JSON merge patch).
 */
export function differences(
  had: JsonObject,
  wants: JsonObject,
  builtIn = false,
): Map<string, Change> {
  const found = new Map<string, Change>();
  compareObjects("", had, wants, found);
  if (!builtIn) return found;
  // What a built-in kind does not write when it is empty cannot differ by being empty.
  const empty = emptyPaths(wants);
  return new Map([...found].filter(([path, change]) => change !== "add" || !empty.has(path)));
}

function emptyPaths(value: JsonObject): ReadonlySet<string> {
  const empty = new Set<string>();
  const walk = (path: string, item: Json): void => {
    if (item === "" || item === false || item === 0) empty.add(path);
    if (Array.isArray(item))
      return item.forEach((element, index) => walk(`${path}[${index}]`, element));
    if (!isObject(item)) return;
    const entries = Object.entries(item);
    if (entries.length === 0) empty.add(path);
    for (const [key, child] of entries) walk(join(path, key), child);
  };
  walk("", value);
  return empty;
}

function compareObjects(
  path: string,
  had: JsonObject,
  wants: JsonObject,
  found: Map<string, Change>,
): void {
  for (const key of new Set([...Object.keys(had), ...Object.keys(wants)])) {
    compare(join(path, key), had[key], wants[key], found);
  }
}

function compare(
  path: string,
  had: Json | undefined,
  wants: Json | undefined,
  found: Map<string, Change>,
): void {
  if (isObject(had) && isObject(wants)) return compareObjects(path, had, wants, found);
  if (Array.isArray(had) && Array.isArray(wants)) return compareLists(path, had, wants, found);
  const change = changeOf(had, wants);
  if (change !== undefined) found.set(path, change);
}

function changeOf(had: Json | undefined, wants: Json | undefined): Change | undefined {
  if (had === wants) return undefined;
  if (wants === undefined) return had === null ? undefined : "delete";
  // A null that the program gives asks for the field to be away, and shows as that whether it is there or not.
  if (wants === null) return "delete";
  return had === undefined ? "add" : "update";
}

function compareLists(path: string, had: Json[], wants: Json[], found: Map<string, Change>): void {
  const length = Math.max(had.length, wants.length);
  for (let index = 0; index < length; index += 1) {
    compare(`${path}[${index}]`, had[index], wants[index], found);
  }
}

/** Appends a key as Pulumi writes property paths: keys with dots, quotes or brackets in `["…"]`. */
function join(path: string, key: string): string {
  if (/[."[\]]/.test(key)) return `${path}["${key.replaceAll('"', '\\"')}"]`;
  return path === "" ? key : `${path}.${key}`;
}

/** Leaves out changes at or below the paths that the program ignores; `[*]` stands for every element. */
export function withoutIgnored(
  found: ReadonlyMap<string, Change>,
  ignored: readonly string[],
): Map<string, Change> {
  const patterns = ignored.map(pathPattern);
  return new Map([...found].filter(([path]) => !patterns.some((pattern) => pattern.test(path))));
}

function pathPattern(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const wild = escaped.replaceAll(String.raw`\[\*\]`, String.raw`(\[[^\]]+\]|\.[^.[]+)`);
  return new RegExp(`^${wild}($|[.[])`);
}
