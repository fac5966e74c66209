#!/usr/bin/env node
// Helm post-renderer: reads rendered manifests on standard input and writes those of the given kinds
// (`--only A,B`) or all others (`--except A,B`), without the objects of `--leave-out Kind/name,Kind/name`. One chart can
// thus be placed in two steps, and two charts that both bring an object beside each other. Documents are passed on
// byte for byte: some charts hold YAML that parsers other than Go's refuse (a tab in a CRD description).
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const list = { type: "string" };

function read() {
  try {
    const options = { only: list, except: list, "leave-out": list };
    const { values } = parseArgs({ options });
    if (Object.keys(values).length === 0 || (values.only && values.except)) return undefined;
    return values;
  } catch {
    return undefined;
  }
}

const options = read();
if (options === undefined) {
  process.stderr.write(
    "select-kinds: expected --only KINDS or --except KINDS, --leave-out KIND/NAME, or both\n",
  );
  process.exit(2);
}
const only = options.only?.split(",");
const except = options.except?.split(",") ?? [];
const leftOut = options["leave-out"]?.split(",") ?? [];

// The name in an object's own metadata: the first `name` on the level right below it.
function nameOf(document) {
  const block = /^metadata:[ \t]*\n((?:[ \t]+.*\n?|\n)*)/m.exec(document)?.[1] ?? "";
  const indent = /^[ \t]+/.exec(block)?.[0] ?? "";
  return new RegExp(`^${indent}name:[ \\t]*["']?([^\\s"']+)`, "m").exec(block)?.[1];
}

const documents = readFileSync(0, "utf8").split(/^---[ \t]*(?:#.*)?$/m);
const kept = documents.filter((document) => {
  const kind = /^kind:[ \t]*["']?(\w+)/m.exec(document)?.[1];
  if (kind === undefined || except.includes(kind)) return false;
  if (only !== undefined && !only.includes(kind)) return false;
  return leftOut.length === 0 || !leftOut.includes(`${kind}/${nameOf(document)}`);
});
process.stdout.write(kept.map((document) => `---${document}`).join(""));
