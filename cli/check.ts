import { basename } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { checkUpgrade } from "../compat/upgrade.ts";
import { formatProblems, passes } from "../problems/problem.ts";
import type { Problem } from "../problems/problem.ts";
import { asOfOption } from "./as-of.ts";
import type { Finish } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";
import { resolveStack } from "./stack.ts";
import type { ResolvedStack } from "./stack.ts";

interface Options {
  readonly kubernetes?: string;
  readonly asOf?: string;
  readonly from?: string;
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
    .option(
      "--from <stack>",
      "stack that is installed now: also check the step from it to this one",
    )
    .addOption(asOfOption())
    .option("--json", "print the problems as JSON")
    .action(async (stack: string, options: Options) => {
      finish(await check(stack, options));
    });
}

async function check(stack: string, options: Options): Promise<number> {
  const resolved = await resolveStack(stack, options.kubernetes, options.asOf);
  const { file, plan } = resolved;
  const problems = [...resolved.problems, ...(await upgradeProblems(resolved, options))];
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

/** What stands against the step from the installed stack; nothing when either has no plan, which is reported anyway. */
async function upgradeProblems(to: ResolvedStack, options: Options): Promise<Problem[]> {
  if (options.from === undefined || to.plan === undefined) return [];
  const from = await resolveStack(options.from, options.kubernetes, options.asOf);
  if (from.plan === undefined) {
    const [first] = from.problems.filter((problem) => problem.level === "block");
    return first === undefined ? [] : [{ ...first, where: `--from ${first.where}` }];
  }
  return checkUpgrade(from.plan.selection.versions, to.plan.selection.versions);
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
