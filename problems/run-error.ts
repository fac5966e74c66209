import * as pulumi from "@pulumi/pulumi";
import { formatProblems } from "./problem.ts";
import type { Problem } from "./problem.ts";

/**
 * Ends a Pulumi run with a report and without a stack trace: the Node runtime prints only the message of a
 * `RunError` (pulumi/pulumi@v3.259.0:sdk/nodejs/cmd/run/run.ts).
 */
export class StackError extends pulumi.RunError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], file?: string) {
    const count = problems.filter((problem) => problem.level === "block").length;
    super(
      `${count} ${count === 1 ? "problem" : "problems"} in this stack, nothing was changed.\n\n` +
        formatProblems(problems, file),
    );
    this.problems = problems;
  }
}
