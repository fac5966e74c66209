import { z } from "zod";

const program = z.strictObject({
  program: z.string(),
  cpuSeconds: z.number(),
  peakMiB: z.number(),
});

/** Medians of one operation of one way in one mode. */
const measured = z.strictObject({
  scenario: z.string(),
  operation: z.string(),
  way: z.enum(["helm", "pulumi"]),
  /** Wall-clock seconds of every round, as they came. */
  seconds: z.array(z.number()).min(1),
  medianSeconds: z.number(),
  medianCpuSeconds: z.number(),
  /** Of the round in the middle. */
  programs: z.array(program),
});
export type Measured = z.infer<typeof measured>;

const stack = z.strictObject({
  scenario: z.string(),
  resources: z.int(),
  stateBytes: z.int(),
  waits: z.int(),
});

const growth = z.strictObject({
  stacks: z.int(),
  previewSeconds: z.number(),
  /** All states together; the first is that of the timed stack. */
  stateBytes: z.int(),
});

/** One run of the benchmark, as it is written to a file and as `docs/performance.md` is made from it. */
export const resultsSchema = z.strictObject({
  /** Day of the run, `YYYY-MM-DD`. */
  date: z.string(),
  rounds: z.int().min(1),
  /** Seconds of a loop of fixed length (`pace.ts`), before each way: how fast the machine was. */
  paceSeconds: z.array(z.number()).min(1),
  /** What of the run was real, a line each. */
  environment: z.array(z.string()),
  measured: z.array(measured),
  stacks: z.array(stack),
  /** Planning, checking and listing the images of every release of the catalog in every mode, in one process. */
  catalog: z.strictObject({ plans: z.int(), seconds: z.number() }),
  /** The same stack, alone and beside others in one backend. */
  growth: z.array(growth),
});
export type Results = z.infer<typeof resultsSchema>;

/** The value in the middle; of an even number the lower one of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, two) => one - two);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** Time of this program over time of the script, or `undefined` where the script has no such operation. */
export function ratio(results: Results, scenario: string, operation: string): number | undefined {
  const of = (way: Measured["way"]): number | undefined =>
    results.measured.find(
      (item) => item.scenario === scenario && item.operation === operation && item.way === way,
    )?.medianSeconds;
  const [ours, theirs] = [of("pulumi"), of("helm")];
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}
