/**
 * Ends the program when nobody reads it any more. Where engine and language host are killed outright, the program's output
 * breaks; Pulumi's SDK reports that as an error on the same output, and so on without end, until memory runs out
 * (pulumi/pulumi@v3.270.0:sdk/nodejs/cmd/run/index.ts, uncaughtHandler).
 */
export function endWithEngine(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));
}
