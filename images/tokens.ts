import { looksLikeHost, parseReference } from "./reference.ts";

/** Runs of characters that can be part of a reference; `=`, quotes, commas and spaces end them. */
const TOKEN = /[A-Za-z0-9[][\w.\-/:@[\]]*/g;
const TRAILING = /[.:/@\-_]+$/;

/** A candidate inside a longer text: `text.slice(start, end)`. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Every run of reference characters in a text, without addresses (`scheme://…`) and trailing punctuation. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    if (match[0].includes("://")) continue;
    const token = match[0].replace(TRAILING, "");
    if (token !== "")
      found.push({ text: token, start: match.index, end: match.index + token.length });
  }
  return found;
}

/**
 * True for a token that can hardly be anything but an image: a registry host, a path, and a tag or digest.
 * Short names (`kserve/agent:v0.16.0`) are recognised by the key they stand under or by the catalog, not here.
 */
export function isQualifiedImage(token: string): boolean {
  const slash = token.indexOf("/");
  if (slash < 0 || !looksLikeHost(token.slice(0, slash))) return false;
  const reference = parseReference(token);
  return reference !== undefined && (reference.tag !== undefined || reference.digest !== undefined);
}
