import { AwaitError } from "../await/await-error.ts";
import type { Stored } from "./stored.ts";

/** The object is there but did not become ready: it goes into the state, and the next run repairs it. */
export class InitError extends Error {
  readonly stored: Stored;
  readonly reasons: readonly string[];

  constructor(message: string, stored: Stored, cause: unknown) {
    super(message);
    this.stored = stored;
    this.reasons = [message, ...(cause instanceof AwaitError ? cause.reasons : [])];
  }
}
