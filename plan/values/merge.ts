import type { Values } from "../plan.ts";

/** Merges maps deeply, later ones last; lists and scalars are replaced as a whole, as Helm does. */
export function mergeValues(...layers: readonly Values[]): Record<string, unknown> {
  return layers.reduce<Record<string, unknown>>((merged, layer) => mergeTwo(merged, layer), {});
}

/** A nested map with one value at a dotted path: `("a.b", 1)` gives `{a: {b: 1}}`. */
export function atPath(path: string, value: unknown): Record<string, unknown> {
  return path
    .split(".")
    .reverse()
    .reduce<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
}

/** Values for several paths; entries whose path or value is `undefined` are left out. */
export function fromPaths(
  entries: readonly (readonly [path: string | undefined, value: unknown])[],
): Record<string, unknown> {
  return mergeValues(
    ...entries.flatMap(([path, value]) =>
      path === undefined || value === undefined ? [] : [atPath(path, value)],
    ),
  );
}

function mergeTwo(left: Values, right: Values): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const current = merged[key];
    merged[key] = isMap(current) && isMap(value) ? mergeTwo(current, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
