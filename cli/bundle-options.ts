import { ExitCode } from "./exit-code.ts";

/** What a bundle consists of; `--parts` chooses. */
export const PARTS = ["images", "charts", "tools", "packages", "model"] as const;
export type Part = (typeof PARTS)[number];

/** Options that all three commands take. */
export interface CommonOptions {
  readonly stack?: string;
  readonly kubernetes?: string;
  readonly jobs: number;
  readonly timeout: number;
  readonly authfile?: string;
  readonly ca?: string;
  readonly plainHttp?: boolean;
}

/** Says that no stack was named. */
export function noStack(command: string): number {
  process.stderr.write(
    `[bundle-stack] --stack\n  found:   none\n  allowed: a stack name (airgap) or the path of a stack file\n  to do:   platform ${command} --stack <stack>\n`,
  );
  return ExitCode.WrongUse;
}
