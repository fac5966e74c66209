import { Command, CommanderError } from "commander";
import { addBundle } from "./bundle.ts";
import { addCheck } from "./check.ts";
import { ExitCode } from "./exit-code.ts";
import { addHarbor } from "./harbor.ts";
import { addImages } from "./images.ts";
import { addLock } from "./lock.ts";
import { addPlan } from "./plan.ts";
import { addSandbox } from "./sandbox.ts";
import { addSuggest } from "./suggest.ts";
import { addVerifyCharts } from "./verify-charts.ts";

/** Runs the command line and answers with the exit code; see `ExitCode`. */
export async function run(args: readonly string[]): Promise<number> {
  let code: number = ExitCode.Fine;
  const finish = (result: number): void => {
    code = result;
  };
  const program = new Command("platform")
    .description(
      "KServe and everything it stands on: check, plan and try a stack without touching a cluster",
    )
    .version("0.1.0")
    .showHelpAfterError("(platform --help lists the commands)")
    // A command's options are its own: `bundle load --stack x` must not be read as an option of `bundle`.
    .enablePositionalOptions()
    .exitOverride();
  addCheck(program, finish);
  addPlan(program, finish);
  addSuggest(program, finish);
  addImages(program, finish);
  addLock(program, finish);
  addVerifyCharts(program, finish);
  addBundle(program, finish);
  addHarbor(program, finish);
  addSandbox(program, finish);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? ExitCode.Fine : ExitCode.WrongUse;
    throw error;
  }
  return code;
}
