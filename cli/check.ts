import { basename } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { formatProblems, passes } from "../problems/problem.ts";
import type { Problem } from "../problems/problem.ts";
import { asOfOption } from "./as-of.ts";
import type { Finish } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";
import { resolveStack } from "./stack.ts";

interface Options {
  readonly kubernetes?: string;
  readonly asOf?: string;
  readonly json?: boolean;
}

/** `platform check`: a stack file against schema, catalog and rules, without Pulumi and without a cluster. */
export function addCheck(program: Command, finish: Finish): void {
  program
    .command("check")
    .description("check a stack file against the schema, the catalog and the compatibility rules")
    .argument("<stack>", "stack name (online) or path of a stack file")
    .option(
      "--kubernetes <version>",
      "Kubernetes version to assume where the stack file names none",
    )
    .addOption(asOfOption())
    .option("--json", "print the problems as JSON")
    .action(async (stack: string, options: Options) => {
      finish(await check(stack, options));
    });
}

async function check(stack: string, options: Options): Promise<number> {
  const { file, plan, problems } = await resolveStack(stack, options.kubernetes, options.asOf);
  const code = passes(problems) ? ExitCode.Fine : ExitCode.Problems;
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ file, problems }, null, 2)}\n`);
    return code;
  }
  if (problems.length > 0) process.stdout.write(`${formatProblems(problems, basename(file))}\n\n`);
  process.stdout.write(`${summary(basename(file), problems)}\n`);
  if (plan !== undefined && plan.selection.versions.kubernetes === undefined) {
    process.stdout.write(
      "Kubernetes rules were not checked: the stack names no version (--kubernetes <version>).\n",
    );
  }
  return code;
}

function summary(file: string, problems: readonly Problem[]): string {
  const blocking = problems.filter((problem) => problem.level === "block").length;
  const warnings = problems.length - blocking;
  const also = warnings === 0 ? "" : `, ${count(warnings, "warning")}`;
  if (blocking === 0) return pc.green(`${file}: no problems${also}`);
  return pc.red(`${file}: ${count(blocking, "problem")}${also}`);
}

function count(amount: number, noun: string): string {
  return `${String(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}
