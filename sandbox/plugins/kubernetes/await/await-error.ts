/** Why an object is not what was waited for. The reasons stand apart: the engine shows each on a line of its own. */
export class AwaitError extends Error {
  readonly reasons: readonly string[];

  constructor(message: string, reasons: readonly string[]) {
    super(message);
    this.reasons = reasons;
  }
}
