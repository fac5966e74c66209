import { beforeAll, describe, expect, it } from "vitest";
import { RULES } from "../../compat/rules/index.ts";
import { settingsSchema } from "../../config/schema.ts";
import { renderPages, stalePages } from "../../docs/generate.ts";
import type { Page } from "../../docs/generate.ts";
import { catalog } from "../support/settings.ts";

describe("generated pages", () => {
  let pages: readonly Page[];
  beforeAll(async () => {
    pages = await renderPages();
  }, 60_000);
  const textOf = (file: string): string => pages.find((page) => page.file === file)?.text ?? "";

  it("are what catalog, rules and schema say now (else: npm run docs)", async () => {
    expect(await stalePages(pages)).toEqual([]);
  });

  it("notice a page that was changed by hand", async () => {
    const [first, ...rest] = pages;
    const changed = [{ file: first?.file ?? "", text: `${first?.text ?? ""}!` }, ...rest];
    expect(await stalePages(changed)).toEqual([first?.file]);
  });

  it.each([...new Set(RULES.map((rule) => rule.id))])("have the rule %s", (id) => {
    expect(textOf("compatibility.md")).toContain(`### ${id}\n`);
  });

  it("have every set", () => {
    for (const set of catalog.sets) expect(textOf("compatibility.md")).toContain(set.name);
  });

  it.each(Object.keys(settingsSchema.shape))("have the key %s", (key) => {
    expect(textOf("configuration.md")).toContain(`## kserve:${key}`);
  });
});
