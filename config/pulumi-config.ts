import * as pulumi from "@pulumi/pulumi";
import { parseSettings } from "./parse.ts";
import type { ParseResult } from "./parse.ts";
import { NAMESPACE, SECRET_PATHS } from "./schema.ts";
import { Secret } from "./secret.ts";

/** Reads the settings of the running stack from the engine, through the same schema as the stack file. */
export function readPulumiConfig(): ParseResult {
  const raw: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(pulumi.runtime.allConfig())) {
    const [namespace, ...rest] = key.split(":");
    if (namespace === NAMESPACE) raw[rest.join(":")] = decode(value);
  }
  for (const path of SECRET_PATHS) wrapSecret(raw, path);
  return parseSettings(raw);
}

/** Structured values arrive as JSON text; everything else is a plain string. */
function decode(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/**
 * The engine hands over decrypted text and says only which top-level key holds a secret. Inside such a key, the
 * values at the known secret paths are wrapped; in any other key they stay text, which the schema refuses.
 */
function wrapSecret(raw: Record<string, unknown>, path: string): void {
  const parts = path.split(".");
  const top = parts[0] ?? "";
  if (!isSecretKey(`${NAMESPACE}:${top}`)) return;
  const last = parts.at(-1) ?? "";
  const parent = parts
    .slice(0, -1)
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], raw);
  if (typeof parent !== "object" || parent === null) return;
  const holder = parent as Record<string, unknown>;
  if (typeof holder[last] === "string") holder[last] = new Secret(holder[last]);
}

/** The SDK keeps this question internal (`@internal` in runtime/config.ts), but answers it at run time. */
function isSecretKey(key: string): boolean {
  const runtime = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  return runtime.isConfigSecret(key);
}
