import { resolve } from "node:path";
import pc from "picocolors";
import { resolveStack } from "./stack.ts";
import { formatProblems } from "../problems/problem.ts";
import { inventory } from "../sandbox/session/inventory.ts";
import { proveRefusal, refusals } from "../sandbox/session/negative-proof.ts";
import { openSession, openStack, operate } from "../sandbox/session/session.ts";
import type { Session } from "../sandbox/session/session.ts";
import type { PulumiResult } from "../sandbox/session/pulumi.ts";
import { TOOLS } from "../sandbox/toolchain/tools.ts";
import {
  announcePlan,
  failed,
  linesWithout,
  NOISE,
  print,
  summarize,
  withProgress,
} from "./sandbox-output.ts";

export interface UpOptions {
  readonly name: string;
  /** Stack file to install, by stack name or path. */
  readonly stack: string;
  /** Folder of real charts. */
  readonly charts?: string;
  readonly signal: AbortSignal;
}

/** Brings the sandbox up and installs the stack on it. Answers whether everything went well. */
export async function sandboxUp(options: UpOptions): Promise<boolean> {
  const started = performance.now();
  const { file, plan, problems } = await resolveStack(
    options.stack,
    TOOLS["kube-apiserver"].version,
  );
  if (problems.length > 0) print(formatProblems(problems, file));
  if (plan === undefined) return false;
  announcePlan(plan, "Images (simulated nodes pull none of them)");
  const session = await withProgress((report) =>
    openSession({
      name: options.name,
      report,
      signal: options.signal,
      ...(options.charts === undefined ? {} : { charts: resolve(options.charts) }),
    }),
  );
  const installed = await install(session, file, options);
  if (installed.code !== 0) return failed("pulumi up", installed);
  const refused = await refuse(session, file);
  const seconds = (performance.now() - started) / 1000;
  summarize(session, inventory(session), { name: options.name, seconds });
  return refused;
}

async function install(session: Session, file: string, options: UpOptions): Promise<PulumiResult> {
  await openStack(session, { name: "sandbox", file });
  print(pc.bold("\npulumi up --policy-pack policies"));
  const onOutput = linesWithout(NOISE);
  return operate(
    session,
    { command: "up", stack: "sandbox" },
    { onOutput, signal: options.signal },
  );
}

async function refuse(session: Session, file: string): Promise<boolean> {
  print(
    pc.bold(
      "\nAnd what the policy pack refuses: KServe 0.15.2 with versions outside its row (preview only)",
    ),
  );
  const result = await proveRefusal(session, file);
  print(refusals(result.output).join("\n"));
  print(`pulumi preview ended with exit code ${result.code}; nothing was changed`);
  if (result.code !== 0) return true;
  print(
    pc.red("The policy pack let it pass: that is a fault of this repository, please report it."),
  );
  return false;
}
