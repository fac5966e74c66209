/** Turns of the loop; about a second on a core of 2024. */
const TURNS = 150_000_000;

/**
 * Seconds that a loop of fixed length takes: how fast the machine is at this moment. Rented cores are a fifth faster in
 * one hour than in the next; without this nobody could tell a slower program from a slower machine.
 */
export function pace(): number {
  const started = performance.now();
  let value = 0;
  for (let turn = 0; turn < TURNS; turn += 1) value = (value * 31 + turn) | 0;
  if (!Number.isInteger(value)) throw new Error("the loop counts in whole numbers");
  return (performance.now() - started) / 1000;
}
