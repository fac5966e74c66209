import type { MirrorLayout } from "../../images/mirror.ts";
import type { Catalog } from "../../versions/catalog.ts";

/** An image that will run although no resource names it, and that nothing moves to the allowed registry. */
export interface Uncovered {
  readonly image: string;
  /** Place that has to move it: a key of the resource, or of a catalog file. */
  readonly key: string;
  readonly what: string;
}

/** What a judgement of unseen images stands on; never the plan. */
export interface Unseen {
  readonly catalog: Catalog;
  /** True for references that may stay as they are. */
  readonly passes: (image: string) => boolean;
  /** Layout of the stack's registry; absent when only the pack's configuration names registries. */
  readonly layout?: MirrorLayout;
}

/** A nested value by its keys; `undefined` where the way ends. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null
        ? (inner as Record<string, unknown>)[key]
        : undefined,
    value,
  );
}

/** A JSON object in a string; `undefined` for anything else. */
export function readJson(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
