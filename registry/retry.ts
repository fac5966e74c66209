import { setTimeout as sleep } from "node:timers/promises";
import { RemoteFailure } from "./failure.ts";

/** How often and how patiently a request is repeated. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number;
  /** Milliseconds before the first repetition; each following waits twice as long. */
  readonly delay: number;
  /** Called before each wait, with the failure and the wait in milliseconds. */
  readonly onRetry?: ((failure: RemoteFailure, wait: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Long enough for a registry that restarts (about 30 s in all), short enough to watch. */
export const PATIENT: RetryPolicy = { retries: 5, delay: 1000 };
/** Waits that servers ask for are honoured up to this, in milliseconds. */
const LONGEST_WAIT = 60_000;

/** Does `work`, and again while it fails in a way that may pass by itself. Throws the last failure. */
export async function withRetry<T>(policy: RetryPolicy, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    policy.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RemoteFailure) || !error.transient || attempt >= policy.retries)
        throw error;
      const wait = Math.min(
        error.details.retryAfter ?? policy.delay * 2 ** attempt,
        Math.max(LONGEST_WAIT, policy.delay),
      );
      policy.onRetry?.(error, wait);
      await sleep(wait, undefined, policy.signal === undefined ? {} : { signal: policy.signal });
    }
  }
}
