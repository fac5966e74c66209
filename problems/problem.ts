/**
 * One thing that is wrong with a stack, in the four parts that an operator needs at 2 a.m.:
 * code and place, what was found, what is allowed and who says so, what to do.
 */
export interface Problem {
  /** Stable code, `area-subject-rule`; part of the contract, see VERSIONING.md. */
  readonly code: string;
  /** `block` stops the run, `warn` is shown and goes on. */
  readonly level: "block" | "warn";
  /** Config key with its namespace (`kserve:knative.version`), or another place inside the file. */
  readonly where: string;
  readonly found: string;
  readonly allowed: string;
  /** Who says so, `owner/repo@ref:path`; absent where the schema itself is the authority. */
  readonly source?: string;
  /** Exact key and value, or command. */
  readonly fix: string;
  /** Reason given in the stack file when the problem is acknowledged there. */
  readonly acknowledged?: string;
}

/** True when nothing in `problems` stops the run. */
export function passes(problems: readonly Problem[]): boolean {
  return problems.every((problem) => problem.level !== "block");
}

/** One problem as text, indented lines under a headline. `file` precedes the place where it is known. */
export function formatProblem(problem: Problem, file?: string): string {
  // A problem of the file itself names the file already.
  const named = file === undefined || file.endsWith(problem.where);
  const place = named ? problem.where : `${file} › ${problem.where}`;
  const lines = [
    `[${problem.code}] ${place}${problem.level === "warn" ? " (warning)" : ""}`,
    `  found:   ${problem.found}`,
    `  allowed: ${problem.allowed}`,
  ];
  if (problem.source !== undefined) lines.push(`  source:  ${problem.source}`);
  if (problem.acknowledged !== undefined) {
    lines.push(`  acknowledged in the stack file: ${problem.acknowledged}`);
  } else {
    lines.push(`  to do:   ${problem.fix}`);
  }
  return lines.join("\n");
}

/** All problems in one report, blocking ones first. */
export function formatProblems(problems: readonly Problem[], file?: string): string {
  const blocking = problems.filter((problem) => problem.level === "block");
  const warnings = problems.filter((problem) => problem.level === "warn");
  return [...blocking, ...warnings].map((problem) => formatProblem(problem, file)).join("\n\n");
}
