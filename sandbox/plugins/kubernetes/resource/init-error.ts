import type { Stored } from "./create.ts";

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

/** Why an object is not what was waited for. */
export class AwaitError extends Error {
  readonly reasons: readonly string[];

  constructor(message: string, reasons: readonly string[]) {
    super(
      reasons.length === 0
        ? message
        : `${message}:\n${reasons.map((reason) => `- ${reason}`).join("\n")}`,
    );
    this.reasons = reasons;
  }
}
