import { machineProblem } from "../bundle/problems.ts";
import { formatProblem } from "../problems/problem.ts";
import { ExitCode } from "./exit-code.ts";
import { interruptible } from "./bundle-steps.ts";

/** Runs a command so that an interrupt, a full disk and their kin end in a report instead of a stack trace. */
export async function guarded(
  folder: string,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  return interruptible(async (signal) => {
    try {
      return await work(signal);
    } catch (error) {
      if (signal.aborted) {
        process.stderr.write(
          "\nInterrupted. Run the same command again: it goes on with what is there.\n",
        );
        return ExitCode.Problems;
      }
      const problem = machineProblem(error, folder);
      if (problem === undefined) throw error;
      process.stderr.write(`${formatProblem(problem)}\n`);
      return ExitCode.Problems;
    }
  });
}
