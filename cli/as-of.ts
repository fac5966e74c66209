import { InvalidArgumentError, Option } from "commander";

/** `--as-of DATE`: judge dated rules (ends of life, closing hosts) for another day than today. */
export function asOfOption(): Option {
  return new Option("--as-of <date>", "judge dated rules for this day (YYYY-MM-DD)").argParser(
    parseDay,
  );
}

/** A day of the calendar as `YYYY-MM-DD`; anything else is wrong use. */
export function parseDay(text: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(time);
  if (isDay && new Date(time).toISOString().startsWith(text)) return text;
  throw new InvalidArgumentError("A day looks like 2027-01-31.");
}
