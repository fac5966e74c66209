#!/usr/bin/env node
// Helm post-renderer: reads rendered manifests on standard input and writes those of the given kinds
// (`--only A,B`) or all others (`--except A,B`). One chart can thus be placed in two steps. Documents are passed on
// byte for byte: some charts hold YAML that parsers other than Go's refuse (a tab in a CRD description).
import { readFileSync } from "node:fs";

const [mode, list = ""] = process.argv.slice(2);
if (mode !== "--only" && mode !== "--except") {
  process.stderr.write("select-kinds: expected --only KINDS or --except KINDS\n");
  process.exit(2);
}
const kinds = new Set(list.split(","));
const documents = readFileSync(0, "utf8").split(/^---[ \t]*(?:#.*)?$/m);
const kept = documents.filter((document) => {
  const kind = /^kind:[ \t]*["']?(\w+)/m.exec(document)?.[1];
  return kind !== undefined && kinds.has(kind) === (mode === "--only");
});
process.stdout.write(kept.map((document) => `---${document}`).join(""));
