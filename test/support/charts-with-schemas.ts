import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A field that a release of KServe is the first to know, and that its own objects use. */
export interface NewField {
  readonly kind: "ClusterServingRuntime" | "ClusterStorageContainer";
  /** Keys below `spec`; `[]` stands for the items of a list. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/** What the stand-ins write below `spec`, in the shape of a schema: a map of keys, a list of one, or anything. */
type Shape = { readonly [key: string]: Shape } | readonly [Shape] | "anything";

const SHAPES: Readonly<Record<NewField["kind"], Shape>> = {
  ClusterServingRuntime: {
    supportedModelFormats: [
      { name: "anything", version: "anything", autoSelect: "anything", priority: "anything" },
    ],
    protocolVersions: "anything",
    imagePullSecrets: "anything",
    containers: "anything",
    multiModel: "anything",
    workerSpec: { pipelineParallelSize: "anything", tensorParallelSize: "anything" },
  },
  ClusterStorageContainer: {
    container: "anything",
    supportedUriFormats: "anything",
    workloadType: "anything",
    supportsMultiModelDownload: "anything",
  },
};

/**
 * Copies a folder of stand-in charts and gives the definitions of two releases a schema: that of the older one does not
 * know the field. Upstream's schemas differ in just that where it matters here; the stand-ins have none, so that every
 * object fits every definition.
 */
export async function chartsWithSchemas(
  charts: { readonly from: string; readonly to: string },
  releases: { readonly old: string; readonly new: string },
  field: NewField,
): Promise<void> {
  await cp(charts.from, charts.to, { recursive: true });
  const shape = SHAPES[field.kind];
  await edit(charts.to, `kserve-crd-${releases.old}`, "crds.yaml", (text) =>
    withSchema(text, field.kind, without(shape, field.path)),
  );
  await edit(charts.to, `kserve-crd-${releases.new}`, "crds.yaml", (text) =>
    withSchema(text, field.kind, shape),
  );
  for (const [version, used] of [
    [releases.old, false],
    [releases.new, true],
  ] as const)
    for (const file of ["controller.yaml", "runtimes.yaml"])
      await edit(charts.to, `kserve-${version}`, file, (text) => use(text, field, used));
}

async function edit(
  folder: string,
  chart: string,
  file: string,
  change: (text: string) => string,
): Promise<void> {
  const path = join(folder, chart, "templates", file);
  await writeFile(path, change(await readFile(path, "utf8")));
}

const ANYTHING = "          x-kubernetes-preserve-unknown-fields: true\n";

/** Puts a schema of `spec` into the definition of a kind. */
function withSchema(text: string, kind: string, shape: Shape): string {
  return documents(text, (document) => {
    if (!document.includes(`    kind: ${kind}\n`)) return document;
    const schema = JSON.stringify({ spec: schemaOf(shape) });
    return document.replace(ANYTHING, `          properties: ${schema}\n`);
  });
}

function schemaOf(shape: Shape): object {
  if (shape === "anything") return { "x-kubernetes-preserve-unknown-fields": true };
  if (isList(shape)) return { type: "array", items: schemaOf(shape[0]) };
  const properties = Object.entries(shape).map(([key, item]) => [key, schemaOf(item)] as const);
  return { type: "object", properties: Object.fromEntries(properties) };
}

function without(shape: Shape, [key = "", ...rest]: readonly string[]): Shape {
  if (shape === "anything") return shape;
  if (isList(shape)) return [without(shape[0], rest)];
  const { [key]: below = "anything", ...others } = shape;
  return rest.length === 0 ? others : { ...others, [key]: without(below, rest) };
}

function isList(shape: Exclude<Shape, "anything">): shape is readonly [Shape] {
  return Array.isArray(shape);
}

/** Lets the objects of a kind use the field, or takes it out of them. */
function use(text: string, { kind, path, value }: NewField, used: boolean): string {
  const [first = "", ...rest] = path;
  const last = path.at(-1) ?? "";
  return documents(text, (document) => {
    if (!document.includes(`\nkind: ${kind}\n`)) return document;
    const has = new RegExp(`^ +(?:- )?${last}:`, "m").test(document);
    if (has) return used ? document : document.replaceAll(new RegExp(`^ +${last}: .*\n`, "gm"), "");
    const inside = rest.reduceRight<unknown>((below, key) => ({ [key]: below }), value);
    const line = `  ${first}: ${JSON.stringify(rest.length === 0 ? value : inside)}\n`;
    return used ? document.replace("\nspec:\n", `\nspec:\n${line}`) : document;
  });
}

function documents(text: string, change: (document: string) => string): string {
  return text
    .split(/^(?=---$)/m)
    .map(change)
    .join("");
}
