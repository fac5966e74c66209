import type { Bundler } from "../bundle/bundler.ts";
import type { Contents } from "../bundle/contents.ts";
import type { PackageFile } from "../bundle/packages.ts";
import type { ToolFile } from "../bundle/tools.ts";
import { imageTotals } from "../bundle/totals.ts";
import { formatBytes } from "./bundle-steps.ts";
import { renderTable } from "./table.ts";

interface Summarized {
  readonly contents: Contents;
  readonly bundler: Bundler;
  readonly tools: readonly ToolFile[];
  readonly packages: readonly PackageFile[];
}

/** What is carried, in numbers; and what joining equal things saved. */
export function summary({ contents, bundler, tools, packages }: Summarized): string {
  const { images, charts, manifests } = contents;
  const totals = imageTotals(bundler.resolved);
  const optional = images.filter((image) => image.optional !== undefined).length;
  const known = `${formatBytes(totals.bytes)}${totals.images < images.length ? ` (${String(totals.images)} known)` : ""}`;
  const rows = [
    [
      "images",
      String(images.length),
      totals.images === 0 ? "unknown" : known,
      `${String(optional)} of them optional`,
    ],
    ["charts", String(charts.length), sizeOf(bundler, charts), ""],
    ["CRD files", String(manifests.length), sizeOf(bundler, manifests), ""],
    [
      "tools",
      String(tools.length),
      sizeOf(bundler, tools),
      tools.map(({ name, version }) => `${name} ${version}`).join(", "),
    ],
    ["npm packages", String(packages.length), sizeOf(bundler, packages), "from package-lock.json"],
  ];
  return `${renderTable(["WHAT", "COUNT", "SIZE", ""], rows)}\n${savings(contents, bundler)}`;
}

function savings({ images, references }: Contents, bundler: Bundler): string {
  const totals = imageTotals(bundler.resolved);
  const joined = `${String(references)} image references are ${String(images.length)} images`;
  if (images.length === 0) return "";
  if (totals.images === 0)
    return `${joined}. What they share in layers only their registries can say, and none answered.\n`;
  const saved = totals.separately - totals.bytes;
  const share = totals.separately === 0 ? 0 : (100 * saved) / totals.separately;
  return (
    `${joined}; ${String(totals.blobReferences)} references to layers and manifests are ${String(totals.blobs)}: ` +
    `${formatBytes(totals.bytes)} instead of ${formatBytes(totals.separately)}, ${formatBytes(saved)} saved (${share.toFixed(0)} %).\n`
  );
}

/** Size of what has been brought; a dry run brings nothing. */
function sizeOf(bundler: Bundler, items: readonly { readonly file: string }[]): string {
  if (items.length === 0) return "";
  const names = new Set(items.map(({ file }) => file));
  const brought = bundler.files.filter(
    ({ file }) => names.has(file) || names.has(file.replace(/^charts\//, "")),
  );
  if (brought.length < items.length) return "unknown";
  return formatBytes(brought.reduce((sum, { size }) => sum + size, 0));
}
