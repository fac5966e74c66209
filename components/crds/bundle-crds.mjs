#!/usr/bin/env node
// Helm post-renderer: reads rendered manifests on standard input, leaves the text of their CRDs in a file for the program
// (handover.ts) and writes one empty ConfigMap, which the program fills with the record of it
// (custom-resource-definitions.ts). Documents are passed on byte for byte: some charts hold YAML that parsers other than
// Go's refuse (a tab in a CRD description).
import { readFileSync, writeFileSync } from "node:fs";

const [name = "", file = ""] = process.argv.slice(2);
if (name === "" || file === "") {
  process.stderr.write(
    "bundle-crds: expected the name of the ConfigMap and the file for the text\n",
  );
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
writeFileSync(file, crds.map((document) => `---${document}`).join(""));
process.stdout.write(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } }));
