import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseDocument } from "yaml";
import type { Problem } from "../problems/problem.ts";
import { nearestKey, parseSettings } from "./parse.ts";
import type { ParseResult } from "./parse.ts";
import { NAMESPACE, settingsSchema } from "./schema.ts";
import { Secret } from "./secret.ts";

/** Top-level keys of a stack file (pulumi/pulumi@v3.259.0:sdk/go/common/workspace/project.go, ProjectStack). */
const STACK_FILE_KEYS = [
  "config",
  "environment",
  "secretsprovider",
  "encryptedkey",
  "encryptionsalt",
];
/** Namespaces besides ours that mean something to Pulumi itself. */
const PULUMI_NAMESPACES = new Set(["pulumi"]);

/** Reads `Pulumi.<stack>.yaml` without Pulumi: the same keys and checks as the program itself applies. */
export async function readStackFile(path: string): Promise<ParseResult> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return {
      problems: [unreadable(path, (error as NodeJS.ErrnoException).code ?? "unknown error")],
    };
  }
  return parseStackFile(bytes, path);
}

/** The same for a file's content; `path` is for the report only. */
export function parseStackFile(bytes: Uint8Array, path: string): ParseResult {
  const text = decode(bytes);
  if (text === undefined) return { problems: [notText(path)] };
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) return { problems: [notYaml(path, firstLine(error.message))] };
  const root: unknown = document.toJS({ maxAliasCount: 100 });
  if (root === null || root === undefined) return { problems: [empty(path)] };
  if (!isMapping(root)) return { problems: [notYaml(path, "the file holds no mapping")] };
  return parseRoot(root, path);
}

function parseRoot(root: Record<string, unknown>, path: string): ParseResult {
  const problems = Object.keys(root)
    .filter((key) => !STACK_FILE_KEYS.includes(key))
    .map((key) => unknownTopLevel(key));
  const config = root["config"];
  if (config === undefined || config === null) return { problems: [...problems, empty(path)] };
  if (!isMapping(config)) return { problems: [...problems, notYaml(path, "config is no mapping")] };
  const ours: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const [namespace, name] = splitKey(key);
    if (namespace === NAMESPACE && name !== "") ours[name] = withSecrets(value);
    else if (!PULUMI_NAMESPACES.has(namespace)) problems.push(foreignKey(key));
  }
  const result = parseSettings(ours);
  if (problems.length === 0) return result;
  return { problems: [...problems, ...result.problems] };
}

/** `{secure: …}` is how Pulumi writes an encrypted value, at any depth. */
function withSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSecrets);
  if (!isMapping(value)) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === "secure") return new Secret(undefined);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withSecrets(item)]));
}

function splitKey(key: string): [string, string] {
  const colon = key.indexOf(":");
  return colon < 0 ? ["", key] : [key.slice(0, colon), key.slice(colon + 1)];
}

function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}

const EXAMPLE = "a Pulumi stack file with `config:` and keys like `kserve:mode: Serverless`";

function unreadable(path: string, reason: string): Problem {
  return {
    code: "config-file-unreadable",
    level: "block",
    where: basename(path),
    found: `the file cannot be read (${reason})`,
    allowed: EXAMPLE,
    fix: `check the path ${path}`,
  };
}

function notText(path: string): Problem {
  return {
    code: "config-file-binary",
    level: "block",
    where: basename(path),
    found: "bytes that are not UTF-8 text",
    allowed: EXAMPLE,
    fix: `name the stack file itself, not an archive or state file; found at ${path}`,
  };
}

function notYaml(path: string, message: string): Problem {
  return {
    code: "config-file-invalid",
    level: "block",
    where: basename(path),
    found: message,
    allowed: EXAMPLE,
    fix: `correct the YAML of ${path}`,
  };
}

function empty(path: string): Problem {
  return {
    code: "config-file-empty",
    level: "block",
    where: basename(path),
    found: "no configuration",
    allowed: EXAMPLE,
    fix: `copy Pulumi.online.yaml to ${path} and edit it`,
  };
}

function unknownTopLevel(key: string): Problem {
  const nearest = nearestKey(key, STACK_FILE_KEYS);
  return {
    code: "config-key-unknown",
    level: "block",
    where: key,
    found: `unknown top-level key ${JSON.stringify(key)}`,
    allowed: STACK_FILE_KEYS.join(", "),
    fix: nearest === undefined ? `remove ${key}` : `did you mean ${nearest}?`,
  };
}

function foreignKey(key: string): Problem {
  const [namespace, name] = splitKey(key);
  const known = Object.keys(settingsSchema.shape);
  const nearest = nearestKey(name, known);
  return {
    code: "config-key-unknown",
    level: "block",
    where: key,
    found:
      namespace === ""
        ? `a key without namespace`
        : `a key of the namespace ${JSON.stringify(namespace)}`,
    allowed: `keys of the namespace "${NAMESPACE}": ${known.map((item) => `${NAMESPACE}:${item}`).join(", ")}`,
    fix: nearest === undefined ? `remove ${key}` : `did you mean ${NAMESPACE}:${nearest}?`,
  };
}
