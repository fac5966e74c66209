/**
 * The form of a stand-in chart, and how its objects become Helm templates.
 *
 * Objects are plain JavaScript values. What Helm has to fill in is marked: {@link helm} for an expression that gives
 * a whole YAML value, {@link optional} for a field that is left out when its value is empty. A string may also hold
 * `{{ … }}` itself as long as the result stays a string.
 */
import { stringify } from "yaml";

/** Catalog data that the stand-ins are generated from. */
export type { CatalogImage, Release, ReleaseOf } from "../../versions/schema.ts";

/** A Helm expression that stands for a whole YAML value, in flow style (`toJson`, not `toYaml`). */
export interface HelmValue {
  readonly helm: string;
}

/** A field that is rendered only when `expression` is not empty; `body` sees it as the dot. */
export interface OptionalValue {
  readonly expression: string;
  readonly body: string;
}

/** Marks text that Helm turns into a YAML value. */
export function helm(text: string): HelmValue {
  return { helm: text };
}

/** Marks a field that exists only when the expression is not empty. */
export function optional(expression: string, body = "{{ toJson . }}"): OptionalValue {
  return { expression, body };
}

/** A Kubernetes object of a chart: JSON values, {@link HelmValue} and {@link OptionalValue}. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** One document of a template; `when` is a Helm condition without braces. */
export interface Doc {
  readonly object: KubeObject;
  readonly when?: string;
}

/** A template file: documents, after `prelude` (variables that the expressions use). */
export interface Template {
  readonly prelude?: string;
  readonly docs: readonly Doc[];
}

/** A stand-in chart before it is written. */
export interface ChartModel {
  readonly name: string;
  /** As published, with its leading v where upstream writes one. */
  readonly version: string;
  readonly kubeVersion?: string;
  readonly values: Record<string, unknown>;
  readonly schema?: Record<string, unknown>;
  /** File name under `templates/` to its content. */
  readonly templates: Readonly<Record<string, Template>>;
  /** Objects of the `crds/` folder, which Helm installs without rendering them. */
  readonly crdsFolder?: readonly KubeObject[];
}

/** A manifest file outside any chart. */
export interface ManifestModel {
  readonly file: string;
  readonly objects: readonly KubeObject[];
}

/** Everything that stands in for one release. */
export interface StandIns {
  readonly charts: readonly ChartModel[];
  readonly manifests: readonly ManifestModel[];
}

type Marked = HelmValue | OptionalValue;

function isMarked(value: unknown): value is Marked {
  return (
    typeof value === "object" &&
    value !== null &&
    ("helm" in value || ("expression" in value && "body" in value))
  );
}

/** Replaces marked values by tokens that YAML writes unquoted; the tokens are filled in afterwards. */
function tokenize(value: unknown, marks: Marked[]): unknown {
  if (isMarked(value)) {
    marks.push(value);
    return `HELM__${marks.length - 1}__`;
  }
  if (Array.isArray(value)) return value.map((item) => tokenize(item, marks));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, tokenize(item, marks)]),
  );
}

/** Puts one line's token back: an optional field becomes a `with` block around its own line. */
function fillLine(line: string, marks: readonly Marked[]): string {
  const field = /^(\s*)([^\s:]+): HELM__(\d+)__$/.exec(line);
  const mark = field ? marks[Number(field[3])] : undefined;
  if (field && mark && "expression" in mark) {
    const [, indent, key] = field;
    return `${indent}{{- with ${mark.expression} }}\n${indent}${key}: ${mark.body}\n${indent}{{- end }}`;
  }
  return line.replace(/HELM__(\d+)__/g, (_all, index: string) => {
    const found = marks[Number(index)];
    if (!found || !("helm" in found))
      throw new Error(`An optional value needs a field of its own: ${line}`);
    return found.helm;
  });
}

/** Writes one object as YAML with Helm expressions. */
export function objectText(object: KubeObject): string {
  const marks: Marked[] = [];
  const text = stringify(tokenize(object, marks), {
    lineWidth: 0,
    singleQuote: true,
    aliasDuplicateObjects: false,
  });
  return text
    .split("\n")
    .map((line) => fillLine(line, marks))
    .join("\n");
}

/** Writes a template file; each document opens with its own separator, so that a skipped one leaves nothing. */
export function templateText(template: Template): string {
  const head = template.prelude === undefined ? "" : `${template.prelude}\n`;
  const docs = template.docs.map((doc) => {
    const body = `---\n${objectText(doc.object)}`;
    return doc.when === undefined ? body : `{{- if ${doc.when} }}\n${body}{{- end }}\n`;
  });
  return head + docs.join("");
}

/** Sets a nested value by its dotted path, as `--set` writes it. */
export function setPath(values: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split(".");
  const last = parts.pop() ?? path;
  let at = values;
  for (const part of parts) {
    const next = at[part];
    if (typeof next === "object" && next !== null) at = next as Record<string, unknown>;
    else at = at[part] = {};
  }
  at[last] = value;
}
