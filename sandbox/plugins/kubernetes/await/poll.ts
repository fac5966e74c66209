import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../value.ts";

/** What a look at an object tells. */
export interface Look {
  readonly done: boolean;
  /** It will never be ready: no use in waiting on. */
  readonly failed?: boolean;
  /** What is missing, for the error after the time limit. */
  readonly missing: readonly string[];
}

/** Judges one state of an object. Built-in kinds judge by its status, `pulumi.com/waitFor` by what it names. */
export type Judge = (live: JsonObject) => Look | Promise<Look>;

/** First and longest wait between two looks, in milliseconds; a watch would not be faster by what matters here. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 800;
const GROWTH = 1.3;

/** How long to look. */
export interface PollOptions {
  readonly limitMs: number;
  readonly cancelled: AbortSignal;
}

/** Looks until `look` gives a value or the time is over; undefined means that it is. Throws when the run is stopped. */
export async function poll<T>(
  look: () => Promise<T | undefined>,
  { limitMs, cancelled }: PollOptions,
): Promise<T | undefined> {
  const end = Date.now() + limitMs;
  for (let wait = FIRST_WAIT; ; wait = Math.min(wait * GROWTH, LONGEST_WAIT)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() + wait > end) return undefined;
    await sleep(wait, undefined, { signal: cancelled });
  }
}
