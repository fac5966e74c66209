import { createHash } from "node:crypto";

/** One object of a file of manifests, as text: it goes to the API server byte for byte. */
export interface Document {
  readonly kind: string;
  readonly name: string;
  /** `group/version`. */
  readonly apiVersion: string;
  readonly text: string;
}

/**
 * Splits a file of manifests. Not a YAML parser: what is asked of a document is its `apiVersion`, `kind` and
 * `metadata.name`, and charts hold YAML that parsers other than Go's refuse.
 */
export function splitDocuments(text: string): Document[] {
  return text
    .split(/^---[ \t]*(?:#.*)?$/m)
    .map((document) => ({
      apiVersion: topLevel(document, "apiVersion"),
      kind: topLevel(document, "kind"),
      name: metadataName(document),
      text: document,
    }))
    .filter(({ kind }) => kind !== "");
}

/** Digest of a file's objects; comments, order and separators between them do not count. */
export function digestOf(documents: readonly Document[]): string {
  const hash = createHash("sha256");
  for (const text of documents.map((document) => document.text.trim()).sort())
    hash.update(text).update("\n---\n");
  return hash.digest("hex");
}

function topLevel(document: string, key: string): string {
  return new RegExp(`^${key}:[ \\t]*["']?([^\\s"'#]+)`, "m").exec(document)?.[1] ?? "";
}

/** The first `name` at the depth of the first key below `metadata`; labels and annotations lie deeper. */
function metadataName(document: string): string {
  const block = /^metadata:[ \t]*\n((?:[ \t]+[^\n]*\n|\n)*)/m.exec(`${document}\n`)?.[1] ?? "";
  const indent = /^[ \t]+/.exec(block)?.[0] ?? "";
  return new RegExp(`^${indent}name:[ \\t]*["']?([^\\s"'#]+)`, "m").exec(block)?.[1] ?? "";
}
