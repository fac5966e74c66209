import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { Command } from "commander";
import { planHarbor } from "../plan/harbor.ts";
import type { HarborPlan } from "../plan/harbor.ts";
import { formatProblem } from "../problems/problem.ts";
import { ExitCode } from "./exit-code.ts";
import type { Finish } from "./exit-code.ts";
import { applyHarbor } from "./harbor/apply.ts";
import { harborClient, HarborError } from "./harbor/client.ts";
import { dryRun } from "./harbor/dry-run.ts";
import { requirePlan, stackFile } from "./stack.ts";

interface Options {
  readonly dryRun?: boolean;
  readonly robotSecretFile?: string;
  readonly kubernetes?: string;
}

/** `platform harbor`: projects, robot account and retention of the stack's registry. */
export function addHarbor(program: Command, finish: Finish): void {
  program
    .command("harbor")
    .description(
      "set up Harbor for a stack: projects, a robot account that pulls, retention (kserve:harbor); " +
        "HARBOR_USERNAME and HARBOR_PASSWORD are an administrator's",
    )
    .argument("<stack>", "stack name (airgap) or path of a stack file")
    .option("--dry-run", "send nothing; print the calls that an empty Harbor would get")
    .option("--robot-secret-file <file>", "new file for the secret of a robot account that is made")
    .option(
      "--kubernetes <version>",
      "Kubernetes version to assume where the stack file names none",
    )
    .action(async (stack: string, options: Options) => {
      finish(await harbor(stack, options));
    });
}

async function harbor(stack: string, options: Options): Promise<number> {
  const plan = await requirePlan(stack, options.kubernetes);
  if (plan === undefined) return ExitCode.Problems;
  const wanted = planHarbor(plan);
  if ("code" in wanted) {
    process.stderr.write(`${formatProblem(wanted, stackFile(stack))}\n`);
    return ExitCode.WrongUse;
  }
  if (options.dryRun === true) {
    process.stdout.write(await dryRun(wanted));
    return ExitCode.Fine;
  }
  return apply(wanted, options);
}

async function apply(plan: HarborPlan, options: Options): Promise<number> {
  const { HARBOR_USERNAME: username = "", HARBOR_PASSWORD: password = "" } = process.env;
  if (username === "" || password === "")
    return report(
      "harbor-credentials",
      "HARBOR_USERNAME or HARBOR_PASSWORD is not set",
      "set both to those of a Harbor administrator",
      ExitCode.WrongUse,
    );
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const keepSecret = (create: () => Promise<string>): Promise<void> =>
    keepInFile(options.robotSecretFile, create, say);
  try {
    await applyHarbor(plan, {
      send: harborClient({ ...plan, username, password }),
      say,
      keepSecret,
    });
    return ExitCode.Fine;
  } catch (error) {
    if (!(error instanceof HarborError)) throw error;
    return report(
      "harbor-failed",
      error.message,
      "mend that and run the command again",
      ExitCode.Problems,
    );
  }
}

/** The file is made before the account: a secret that cannot be kept would be lost, and the account useless. */
async function keepInFile(
  path: string | undefined,
  create: () => Promise<string>,
  say: (line: string) => void,
): Promise<void> {
  if (path === undefined)
    throw new HarborError(
      "the robot account does not exist yet, and Harbor shows its secret only once; name a new file with --robot-secret-file",
    );
  const file = await openNew(path);
  try {
    await file.writeFile(await create());
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  say(`secret: in ${path}. Hand it to the stack and delete the file:`);
  say(
    `  pulumi config set --secret --path 'kserve:registry.pullSecret.password' < ${path} && rm ${path}`,
  );
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    throw new HarborError(
      `the secret needs a new file: ${(error as NodeJS.ErrnoException).code ?? "error"} for ${path}`,
    );
  }
}

function report(code: string, found: string, fix: string, exit: number): number {
  process.stderr.write(
    `[${code}] platform harbor\n  found:   ${found}\n  allowed: a Harbor that takes every call\n  to do:   ${fix}\n`,
  );
  return exit;
}
