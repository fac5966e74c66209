#!/usr/bin/env node
// Helm post-renderer: reads rendered manifests on standard input and writes one ConfigMap that holds their CRDs as
// text. The program takes the text out again before the engine sees it (custom-resource-definitions.ts), so that neither the state nor
// any diff carries schemas. Documents are passed on byte for byte: some charts hold YAML that parsers other than Go's
// refuse (a tab in a CRD description).
import { readFileSync } from "node:fs";

const [name = ""] = process.argv.slice(2);
if (name === "") {
  process.stderr.write("bundle-crds: expected the name of the ConfigMap\n");
  process.exit(2);
}
const documents = readFileSync(0, "utf8").split(/^---[ \t]*(?:#.*)?$/m);
const crds = documents.filter((document) =>
  /^kind:[ \t]*["']?CustomResourceDefinition\b/m.test(document),
);
if (crds.length === 0) {
  process.stderr.write(`bundle-crds: the chart rendered no CustomResourceDefinition for ${name}\n`);
  process.exit(1);
}
const text = crds.map((document) => `---${document}`).join("");
process.stdout.write(
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text } }),
);
