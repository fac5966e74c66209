import { readFile, glob } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { isObject } from "../value.ts";
import { textAt } from "../object.ts";
import type { Json, JsonObject } from "../value.ts";

/** Tags of YAML 1.1 that Go's parser does not know: dates and base-60 numbers stay text. */
const NOT_IN_GO = /timestamp|:(int|float)$/;

/** Reads the objects of a YAML text; empty documents are left out and lists opened. */
export function parseManifests(text: string): JsonObject[] {
  // As sigs.k8s.io/yaml: YAML 1.1, in which `0644` is octal and `yes` is true.
  const options = { version: "1.1", customTags: goTags, merge: true, logLevel: "silent" } as const;
  let documents = parseAllDocuments(text, options);
  if (documents.some((document) => document.errors.length > 0)) {
    documents = parseAllDocuments(asGoReadsIt(text), options);
  }
  const objects: JsonObject[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`decoding YAML: ${error.message}`);
    const value = document.toJS({ maxAliasCount: -1 }) as Json;
    if (isObject(value) && Object.keys(value).length > 0) objects.push(value);
  }
  return expandLists(objects);
}

/**
 * What Go's parser takes and this one refuses, both in the Knative operator's CRDs: a tab before plain text, and a
 * quoted text whose next lines are not indented further than its key.
 */
function asGoReadsIt(text: string): string {
  let open = false;
  return text
    .split("\n")
    .map((line) => {
      const quotes = line.split("'").length - 1;
      const continued = open;
      if (open ? quotes % 2 === 1 : /^[ -]*[\w.-]+:[ \t]+'/.test(line) && quotes % 2 === 1)
        open = !open;
      return (continued ? `  ${line}` : line).replaceAll("\t", "  ");
    })
    .join("\n");
}

type Tags = NonNullable<
  Exclude<NonNullable<Parameters<typeof parseAllDocuments>[1]>["customTags"], undefined>
>;

const goTags: Tags = (tags) =>
  tags.filter((tag) => {
    if (typeof tag === "string") return true;
    const isBase60 = "format" in tag && tag.format === "TIME";
    return !(isBase60 || (NOT_IN_GO.test(tag.tag) && tag.tag.endsWith("timestamp")));
  });

/** Reads manifests from a URL, a path, or all paths that match a pattern. */
export async function readManifests(source: string, patterns: boolean): Promise<string[]> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) return [await download(source)];
  const paths = patterns && /[*?[]/.test(source) ? await matches(source) : [source];
  return Promise.all(paths.map((path) => readFile(path, "utf8")));
}

async function matches(pattern: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of glob(pattern)) paths.push(path);
  return paths.sort();
}

async function download(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok)
    throw new Error(`fetching YAML over network: ${url} answered with status ${response.status}`);
  return response.text();
}

function expandLists(objects: readonly JsonObject[]): JsonObject[] {
  return objects.flatMap((object) => {
    const { items } = object;
    const isList = textAt(object, "kind").endsWith("List") && Array.isArray(items);
    return isList ? expandLists(items.filter(isObject)) : [object];
  });
}
