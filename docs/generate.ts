import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "prettier";
import { loadCatalog } from "../versions/catalog.ts";
import { compatibilityPage } from "./pages/compatibility.ts";
import { configurationPage } from "./pages/configuration.ts";
import { performancePage } from "./pages/performance.ts";

/** A page of this folder that is written from data. */
export interface Page {
  readonly file: string;
  readonly text: string;
}

/** All generated pages, formatted as they are committed. */
export async function renderPages(): Promise<Page[]> {
  const catalog = loadCatalog();
  const pages = [
    { file: "compatibility.md", text: compatibilityPage(catalog) },
    { file: "configuration.md", text: configurationPage() },
    { file: "performance.md", text: performancePage() },
  ];
  return await Promise.all(
    pages.map(async ({ file, text }) => ({
      file,
      text: await format(text, { parser: "markdown", printWidth: 100 }),
    })),
  );
}

/** Names of pages whose committed text is not the one given. */
export async function stalePages(
  pages: readonly Page[],
  directory: string = import.meta.dirname,
): Promise<string[]> {
  const current = await Promise.all(
    pages.map(({ file }) => readFile(join(directory, file), "utf8").catch(() => "")),
  );
  return pages.filter(({ text }, index) => text !== current[index]).map(({ file }) => file);
}

if (import.meta.main) {
  for (const { file, text } of await renderPages()) {
    await writeFile(join(import.meta.dirname, file), text);
    process.stdout.write(`docs/${file}\n`);
  }
}
