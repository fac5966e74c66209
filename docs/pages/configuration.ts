import { z } from "zod";
import { NAMESPACE, SECRET_PATHS, settingsSchema } from "../../config/schema.ts";
import { code, GENERATED, table } from "./markdown.ts";

/** What is used of a JSON schema node. */
const node = z.object({
  type: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  const: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  additionalProperties: z.unknown().optional(),
});
type Node = z.infer<typeof node>;

interface Row {
  readonly path: string;
  readonly node: Node;
  readonly required: boolean;
}

/** Largest whole number that JSON can hold: the schema's way of saying that there is no limit. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** `docs/configuration.md`: every key of a stack file. */
export function configurationPage(): string {
  const root = node.parse(jsonSchema(settingsSchema));
  const sections = Object.entries(root.properties ?? {}).flatMap(([key, value]) =>
    section(key, node.parse(value), root.required?.includes(key) === true),
  );
  return [GENERATED, "# Every key of a stack file", INTRODUCTION, ...sections].join("\n\n");
}

/** JSON schema of what users write; of a switch (`true` or a map) the map. */
function jsonSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: written }) => {
      if (zodSchema instanceof z.ZodPipe)
        Object.assign(written, jsonSchema(zodSchema.out as z.ZodType));
    },
  });
}

const INTRODUCTION = `All keys are in the namespace \`${NAMESPACE}:\` of \`Pulumi.<stack>.yaml\`. The smallest stack file has one:

\`\`\`yaml
config:
  ${NAMESPACE}:mode: Serverless
\`\`\`

Everything else has a default, here or in the catalog (see [compatibility.md](compatibility.md) for versions that go
together). Unknown keys are refused, with the nearest known one. Versions and numbers that look like numbers are written
in quotes. Secrets are set with \`pulumi config set --secret --path '${NAMESPACE}:<path>'\`.`;

function section(key: string, value: Node, required: boolean): string[] {
  const rows = rowsOf({ path: key, node: value, required });
  const title = `## ${NAMESPACE}:${key}`;
  const text = value.description === undefined || rows.length === 1 ? [] : [value.description];
  const body = table(
    ["Key", "Value", "Default", "Meaning"],
    rows.map((row) => [code(row.path), kind(row), defaultOf(row), row.node.description ?? ""]),
  );
  return [title, ...text, body];
}

/** The leaves below a node; a union shows the keys of each variant. */
function rowsOf(row: Row): Row[] {
  const { path, node: value } = row;
  if (value.oneOf !== undefined) return variants(path, value);
  if (value.type === "array" && node.safeParse(value.items).data?.properties !== undefined) {
    const item = node.parse(value.items);
    return [row, ...children(`${path}[]`, item)];
  }
  if (value.properties === undefined) return [row];
  const described = value.description !== undefined && path.includes(".");
  return [...(described ? [row] : []), ...children(path, value)];
}

function children(path: string, value: Node): Row[] {
  return Object.entries(value.properties ?? {}).flatMap(([key, child]) =>
    rowsOf({
      path: `${path}.${key}`,
      node: node.parse(child),
      required: value.required?.includes(key) === true,
    }),
  );
}

/** Every variant under its discriminator: `charts.url (oci)`. */
function variants(path: string, value: Node): Row[] {
  return (value.oneOf ?? []).flatMap((option) => {
    const variant = node.parse(option);
    const [key, discriminator] =
      Object.entries(variant.properties ?? {}).find(
        ([, child]) => node.parse(child).const !== undefined,
      ) ?? [];
    const chosen = node.safeParse(discriminator).data?.const ?? "";
    return children(path, variant).map((row) =>
      row.path === `${path}.${key ?? ""}` ? row : { ...row, path: `${row.path} (${chosen})` },
    );
  });
}

function kind({ path, node: value }: Row): string {
  if ((SECRET_PATHS as readonly string[]).includes(path.replace(/ \(.*$/, ""))) return "secret";
  if (value.const !== undefined) return code(value.const);
  if (value.enum !== undefined) return value.enum.map(code).join(", ");
  if (value.type === "integer") return integer(value);
  if (value.type === "array") return "list";
  if (value.type === "object") return "map";
  return value.type ?? "any";
}

function integer({ minimum, maximum }: Node): string {
  const from = minimum === undefined || minimum === -NO_LIMIT ? "" : ` from ${String(minimum)}`;
  const to = maximum === undefined || maximum === NO_LIMIT ? "" : ` to ${String(maximum)}`;
  return `number${from}${to}`;
}

function defaultOf({ node: value, required }: Row): string {
  if (value.default !== undefined) {
    const text = JSON.stringify(value.default);
    return ["{}", "[]"].includes(text) ? "none" : code(text.replaceAll('"', ""));
  }
  return required ? "required" : "";
}
