import { isObject } from "../value.ts";
import type { Json } from "../value.ts";

type Step =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "all" }
  | {
      readonly kind: "filter";
      readonly path: Step[];
      readonly operator: "==" | "!=";
      readonly value: Json;
    };

/** One step of a path: `.key`, `['key']`, `[0]`, `[*]`, `.*` or `[?(@.key=="value")]` (RFC 9535, the usual part of it). */
const STEP =
  /^(?:\.(?<name>(?:\\.|[^.[\]\\])+)|\[(?<index>-?\d+)\]|\[(?<quoted>'[^']*'|"[^"]*")\]|\[(?<star>\*)\]|\[\?\(?\s*@(?<path>[^=!]*?)\s*(?<operator>==|!=)\s*(?<value>'[^']*'|"[^"]*"|[^\])\s]+)\s*\)?\])/;

/** A parsed path, ready to be looked up. */
export interface JsonPath {
  select(value: Json): Json[];
}

/** Parses a path such as `$.status.conditions[?(@.type=="Ready")].status`. Throws when it cannot be understood. */
export function parseJsonPath(text: string): JsonPath {
  const steps = parseSteps(text.startsWith("$") ? text.slice(1) : text);
  return {
    select: (value) =>
      steps.reduce<Json[]>((found, step) => found.flatMap((item) => take(item, step)), [value]),
  };
}

function parseSteps(text: string): Step[] {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== "") {
    const found = STEP.exec(rest);
    if (found?.groups === undefined)
      throw new Error(`not a JSONPath that can be understood from "${rest}" on`);
    steps.push(toStep(found.groups));
    rest = rest.slice(found[0].length);
  }
  return steps;
}

function toStep(groups: Readonly<Record<string, string | undefined>>): Step {
  const { name, index, quoted, star, path, operator, value } = groups;
  if (star !== undefined || name === "*") return { kind: "all" };
  if (name !== undefined) return { kind: "key", key: name.replaceAll(/\\(.)/g, "$1") };
  if (quoted !== undefined) return { kind: "key", key: quoted.slice(1, -1) };
  if (index !== undefined) return { kind: "index", index: Number(index) };
  return {
    kind: "filter",
    path: parseSteps(path ?? ""),
    operator: operator === "!=" ? "!=" : "==",
    value: literal(value ?? ""),
  };
}

function literal(text: string): Json {
  if (/^['"]/.test(text)) return text.slice(1, -1);
  return JSON.parse(text) as Json;
}

function take(value: Json, step: Step): Json[] {
  const items = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
  if (step.kind === "all") return items;
  if (step.kind === "filter") return items.filter((item) => passes(item, step));
  if (step.kind === "index") return Array.isArray(value) ? present(value.at(step.index)) : [];
  return isObject(value) ? present(value[step.key]) : [];
}

function passes(item: Json, step: Extract<Step, { kind: "filter" }>): boolean {
  const [found] = step.path.reduce<Json[]>(
    (values, inner) => values.flatMap((value) => take(value, inner)),
    [item],
  );
  return (found === step.value) === (step.operator === "==");
}

function present(value: Json | undefined): Json[] {
  return value === undefined ? [] : [value];
}
