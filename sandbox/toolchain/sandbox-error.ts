import { formatProblem } from "../../problems/problem.ts";
import type { Problem } from "../../problems/problem.ts";

/** An error that the sandbox's user can act on; its message is the whole report, without a stack. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
  readonly problem: Problem;

  constructor(problem: Problem, cause?: unknown) {
    super(formatProblem(problem), cause === undefined ? undefined : { cause });
    this.problem = problem;
  }
}

/** Makes a {@link SandboxError}; every problem of the sandbox stops what was asked for. */
export function sandboxError(problem: Omit<Problem, "level">, cause?: unknown): SandboxError {
  return new SandboxError({ ...problem, level: "block" }, cause);
}

/** The text of anything thrown, one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
