import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import type { Problem } from "../problems/problem.ts";
import { NAMESPACE, SECRET_PATHS, settingsSchema } from "./schema.ts";
import type { Settings } from "./schema.ts";
import { Secret } from "./secret.ts";

/** Outcome of reading a stack's configuration: settings, or every problem in one report. */
export type ParseResult =
  | { readonly settings: Settings; readonly problems: readonly [] }
  | { readonly settings?: undefined; readonly problems: readonly Problem[] };

type Path = readonly PropertyKey[];
/** Longest rendering of a found value in a report, in characters. */
const MAX_FOUND = 80;
/** A misspelt key is at most this many edits away from the key that is offered. */
const MAX_EDITS = 4;

/**
 * Checks the raw values of the namespace `kserve:` (keys without the namespace) against the schema.
 * Everything that is wrong is reported at once; the result is frozen.
 */
export function parseSettings(raw: Readonly<Record<string, unknown>>): ParseResult {
  const parsed = settingsSchema.safeParse(raw);
  if (parsed.success) return { settings: deepFreeze(parsed.data), problems: [] };
  return { problems: parsed.error.issues.flatMap((issue) => describe(issue, raw)) };
}

/** The known key nearest to `key`, or `undefined` when none is near. */
export function nearestKey(key: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(key, [...known]);
  const edits = distance(key.toLowerCase(), candidate.toLowerCase());
  return edits <= Math.min(MAX_EDITS, Math.ceil(key.length / 2)) ? candidate : undefined;
}

/** `["knative", "autoscaling", "minScale"]` as users write it: `kserve:knative.autoscaling.minScale`. */
export function configKey(path: Path): string {
  const text = path
    .map((part, index) =>
      typeof part === "number" ? `[${String(part)}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    .join("");
  return text === "" ? `${NAMESPACE}:` : `${NAMESPACE}:${text}`;
}

type Issue = z.core.$ZodIssue;

function describe(issue: Issue, raw: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...issue.path, key], knownKeys(issue.path, raw)));
  }
  const value = valueAt(raw, issue.path);
  const where = configKey(issue.path);
  const code = value === undefined ? "config-key-missing" : "config-value-invalid";
  const allowed = allowedBy(issue);
  return [
    {
      code,
      level: "block",
      where,
      found: value === undefined ? "nothing" : render(value, issue.path),
      allowed,
      fix: value === undefined ? `add ${where}` : `change ${where}`,
    },
  ];
}

function unknownKey(path: Path, known: readonly string[]): Problem {
  const key = String(path.at(-1));
  const nearest = nearestKey(key, known);
  const where = configKey(path);
  const better = nearest === undefined ? undefined : configKey([...path.slice(0, -1), nearest]);
  return {
    code: "config-key-unknown",
    level: "block",
    where,
    found: `unknown key ${JSON.stringify(key)}`,
    allowed: known.length === 0 ? "no keys here" : known.join(", "),
    fix: better === undefined ? `remove ${where}` : `did you mean ${better}?`,
  };
}

function allowedBy(issue: Issue): string {
  if (issue.code === "invalid_value")
    return issue.values.map((value) => JSON.stringify(value)).join(" | ");
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)) {
    return issue.options.map((value) => JSON.stringify(value)).join(" | ");
  }
  if (issue.code === "invalid_type") {
    if (!issue.message.startsWith("Invalid input")) return issue.message;
    return issue.expected === "string"
      ? "a string (put numbers in quotes)"
      : `a value of type ${issue.expected}`;
  }
  return issue.message;
}

/** Keys that the schema knows at a path; for a union, those of the variant that the value chose. */
function knownKeys(path: Path, raw: unknown): readonly string[] {
  let schema: unknown = settingsSchema;
  path.forEach((part, index) => {
    schema = step(unwrap(schema), part, valueAt(raw, path.slice(0, index)));
  });
  const target = variant(unwrap(schema), valueAt(raw, path));
  return target instanceof z.ZodObject ? Object.keys(target.shape) : [];
}

function step(schema: unknown, part: PropertyKey, value: unknown): unknown {
  const target = variant(schema, value);
  if (target instanceof z.ZodObject) return (target.shape as Record<PropertyKey, unknown>)[part];
  if (target instanceof z.ZodArray) return target.element;
  return undefined;
}

function variant(schema: unknown, value: unknown): unknown {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  return schema.options.find((option) => {
    const shape = (option as z.ZodObject).shape as Record<string, z.ZodType>;
    const literal = shape[schema.def.discriminator];
    return literal?.safeParse(
      (value as Record<string, unknown> | undefined)?.[schema.def.discriminator],
    ).success;
  });
}

function unwrap(schema: unknown): unknown {
  let current = schema;
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap();
  }
  // A switch (`true` or a map): what it becomes is what has keys.
  return current instanceof z.ZodPipe ? unwrap(current.out) : current;
}

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    raw,
  );
}

function render(value: unknown, path: Path): string {
  if (isSecretPath(path) || value instanceof Secret) return "a value in clear text (not shown)";
  const text = JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Secret ? "[secret]" : item,
  );
  return text.length > MAX_FOUND ? `${text.slice(0, MAX_FOUND)}…` : text;
}

/** True at a secret itself and at anything that contains one: rendering the parent would echo it too. */
function isSecretPath(path: Path): boolean {
  const text = path.map(String).join(".");
  return SECRET_PATHS.some(
    (secret) => secret === text || secret.startsWith(`${text}.`) || text.startsWith(`${secret}.`),
  );
}

function deepFreeze<T>(value: T): T {
  if (
    typeof value === "object" &&
    value !== null &&
    !(value instanceof Secret) &&
    !Object.isFrozen(value)
  ) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
