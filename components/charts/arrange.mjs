#!/usr/bin/env node
// Helm post-renderer: reads rendered manifests on standard input and writes those of the given kinds
// (`--only A,B`) or all others (`--except A,B`), without the objects of `--leave-out Kind/name,Kind/name`. One chart can
// thus be placed in two steps, and two charts that both bring an object beside each other. With `--namespace NAME`, the
// namespace of the release, workloads and webhook configurations are told what they come after (order.mjs).
// All other documents are passed on byte for byte: some charts hold YAML that parsers other than Go's refuse (a tab in a
// CRD description).
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { identityOf, inOrder } from "./order.mjs";

const text = { type: "string" };

function read() {
  try {
    const options = { only: text, except: text, "leave-out": text, namespace: text };
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
    "arrange: expected --only KINDS or --except KINDS, --leave-out KIND/NAME, --namespace NAME, or several of them\n",
  );
  process.exit(2);
}
const only = options.only?.split(",");
const except = options.except?.split(",") ?? [];
const leftOut = options["leave-out"]?.split(",") ?? [];

const documents = readFileSync(0, "utf8").split(/^---[ \t]*(?:#.*)?$/m);
const kept = documents.filter((document) => {
  const { kind, name } = identityOf(document);
  if (kind === undefined || except.includes(kind)) return false;
  if (only !== undefined && !only.includes(kind)) return false;
  return !leftOut.includes(`${kind}/${name}`);
});
const { namespace } = options;
try {
  const arranged = namespace === undefined ? kept : inOrder(kept, namespace);
  process.stdout.write(arranged.map((document) => `---${document}`).join(""));
} catch (error) {
  process.stderr.write(`arrange: ${error.message}\n`);
  process.exitCode = 1;
}
