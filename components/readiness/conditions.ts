import type { Cluster, WantedCondition } from "./part.ts";
import { readObject } from "./read.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
}

interface Conditioned {
  readonly metadata: { readonly generation?: number };
  readonly status?: {
    readonly version?: string;
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

/** What is missing of a condition, in a few words; `undefined` where it is met by the object as it is now. */
export async function unmet(api: Cluster, wanted: WantedCondition): Promise<string | undefined> {
  const object = await readObject<Conditioned>(api, wanted.path);
  const why = object === undefined ? "not there yet" : lackOf(object, wanted);
  const name = wanted.path.split("/").at(-1) ?? "";
  return why === undefined ? undefined : `${wanted.kind} ${name} (${why})`;
}

function lackOf(object: Conditioned, wanted: WantedCondition): string | undefined {
  const { conditions = [], version } = object.status ?? {};
  const found = conditions.find(({ type }) => type === wanted.condition);
  if (found?.status !== "True") return `${wanted.condition}: ${wordsOf(found)}`;
  if (wanted.version !== undefined && version !== wanted.version)
    return `at version ${version ?? "none"}, wanted ${wanted.version}`;
  return isStale(object, found) ? "its latest change is not seen yet" : undefined;
}

/** A controller that has not seen the latest change speaks of the object as it was. */
function isStale({ metadata, status }: Conditioned, { observedGeneration }: Condition): boolean {
  const seen = observedGeneration ?? status?.observedGeneration;
  return seen !== undefined && seen < (metadata.generation ?? 0);
}

function wordsOf(condition: Condition | undefined): string {
  if (condition === undefined) return "not said yet";
  const { status, reason = "", message = "" } = condition;
  return [status, reason, message].filter((text) => text !== "").join(", ");
}
