/** What the command line's exit codes mean. */
export const ExitCode = {
  Fine: 0,
  /** Something is wrong with the stack, or a step failed; the report says what. */
  Problems: 1,
  /** The command was called wrongly. */
  WrongUse: 2,
} as const;

/** Receives the exit code of a command. */
export type Finish = (code: number) => void;
