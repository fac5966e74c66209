import type { StackWeight } from "./state.ts";

/**
 * What a stack of the default set may weigh at most, measured and a tenth more; `test/e2e/story.test.ts` holds it.
 * Raise a bound only together with the reason, in docs/pages/performance-notes.md.
 */
export const BOUNDS: Readonly<Record<"Serverless" | "RawDeployment", StackWeight>> = {
  Serverless: { resources: 152, stateBytes: 690_000, waits: 2 },
  RawDeployment: { resources: 80, stateBytes: 400_000, waits: 2 },
};
