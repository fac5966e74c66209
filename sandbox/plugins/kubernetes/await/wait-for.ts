import { condition, isStale } from "./conditions.ts";
import { parseJsonPath } from "./json-path.ts";
import { at, textAt } from "../object.ts";
import type { Json, JsonObject } from "../value.ts";
import type { Judge, Look } from "./poll.ts";

/** Annotation that says what to wait for, in place of what is usual for the kind. */
export const WAIT_FOR = "pulumi.com/waitFor";

/**
 * Parses `jsonpath={.path}`, `jsonpath={.path}=value`, `condition=Type`, `condition=Type=Status`, or a JSON list of
 * these, all of which must hold. Throws on anything else (metadata/overrides.go, ReadyCondition).
 */
export function parseWaitFor(text: string): Judge {
  const expressions = listOf(text);
  if (expressions.length === 0) throw new Error("at least one condition must be specified");
  const judges = expressions.map(parseExpression);
  return (live) => {
    const looks = judges.map((judge) => judge(live));
    return {
      done: looks.every((look) => look.done),
      missing: looks.flatMap((look) => look.missing),
    };
  };
}

function listOf(text: string): string[] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.every((item) => typeof item === "string")) return parsed;
  } catch {
    // Not JSON: one expression.
  }
  return [text];
}

function parseExpression(text: string): (live: JsonObject) => Look {
  if (text.startsWith("jsonpath=")) return pathJudge(text.slice("jsonpath=".length));
  if (text.startsWith("condition=")) return conditionJudge(text.slice("condition=".length));
  throw new Error(`expected a "jsonpath=" or "condition=" prefix, got "${text}"`);
}

function conditionJudge(text: string): (live: JsonObject) => Look {
  const cut = text.indexOf("=");
  const type = cut < 0 ? text : text.slice(0, cut);
  const wanted = cut < 0 ? "True" : text.slice(cut + 1);
  return (live) => {
    const found = condition(live, type);
    if (!isStaleCondition(live, found) && textAt(found, "status") === wanted)
      return { done: true, missing: [] };
    const state =
      found === undefined
        ? "not found"
        : `${textAt(found, "status")} ${textAt(found, "reason")} ${textAt(found, "message")}`;
    return { done: false, missing: [`Waiting for condition ${type}=${wanted}: ${state.trim()}`] };
  };
}

function isStaleCondition(live: JsonObject, found: JsonObject | undefined): boolean {
  if (isStale(live)) return true;
  const observed = at(found, "observedGeneration");
  const generation = at(live, "metadata", "generation");
  return typeof observed === "number" && typeof generation === "number" && observed < generation;
}

function pathJudge(text: string): (live: JsonObject) => Look {
  const { path, wanted } = splitPath(text);
  const shown = wanted === undefined ? path : `${path}=${wanted}`;
  const inner = /\{\s*(.*?)\s*\}/.exec(path)?.[1];
  if (inner === undefined) throw new Error(`${path} should be wrapped in brackets { ... }`);
  const expression = parseJsonPath(inner);
  return (live) => {
    const [found] = isStale(live) ? [] : expression.select(live);
    if (found !== undefined && (wanted === undefined || shownAs(path, found) === wanted))
      return { done: true, missing: [] };
    const state =
      found === undefined ? `${path} selected nothing` : `found "${JSON.stringify(found)}"`;
    return { done: false, missing: [`Waiting for ${shown}: ${state}`] };
  };
}

/** Splits at the one `=` that is not part of `==` or another comparison. */
function splitPath(text: string): { path: string; wanted?: string } {
  if (text.startsWith("'") && text.endsWith("'"))
    throw new Error(`${text} should omit shell quotes`);
  const parts = text.split(/(?<![=!<>])=(?!=)/);
  const [path = "", wanted] = parts;
  if (parts.length > 2) throw new Error(`format should be {.path}=value or {.path}, got "${text}"`);
  if (wanted === undefined) return { path };
  if (wanted === "") throw new Error(`${path}= requires a value`);
  return { path, wanted };
}

function shownAs(path: string, found: Json): string {
  if (typeof found === "object" && found !== null) {
    throw new Error(`"${path}" has a non-primitive value (${JSON.stringify(found)})`);
  }
  return String(found);
}
