/** A Markdown table; Prettier aligns it when the page is written. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Text inside a cell: a bar would end it, a line break too, and `<host>` would be taken for HTML. */
function cell(text: string): string {
  const line = text.replace(/\|/g, "\\|").replace(/\n/g, " ");
  return line.startsWith("`") ? line : line.replace(/<(?=[a-z])/g, "\\<");
}

/** Text as code, or nothing for nothing. */
export function code(text: string): string {
  return text === "" ? "" : `\`${text}\``;
}

/** An npm range as people read it: `1.19.x || 1.20.x` is `1.19, 1.20`. */
export function readable(range: string): string {
  return range
    .split("||")
    .map((part) => part.trim().replace(/ - /g, " to ").replace(/\.x\b/g, ""))
    .join(", ");
}

/** First line of every generated page. */
export const GENERATED =
  "<!-- Written by `npm run docs` from catalog, rules and schema. Change those, not this file. -->";
