import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IMAGE_PAGES, imagePages } from "../../docs/images.ts";
import { catalog } from "../support/settings.ts";

const pages = imagePages(catalog);

describe("docs/images", () => {
  it("holds one page for each set and an overview, and nothing else", async () => {
    expect((await readdir(IMAGE_PAGES)).sort()).toEqual([...pages.keys()].sort());
  });

  it.each([...pages])("%s is what `node docs/images.ts` writes", async (file, text) => {
    expect(await readFile(join(IMAGE_PAGES, file), "utf8")).toBe(text);
  });

  it.each(catalog.sets.map((set) => [set.name, set] as const))(
    "%s lists every image of its KServe release that a mode needs",
    (name, set) => {
      const page = pages.get(`${name}.md`) ?? "";
      const images = catalog
        .get("kserve", set.kserve)
        .images.filter((image) => image.modes === undefined);
      expect(images.filter(({ image }) => !page.includes(image))).toEqual([]);
    },
  );
});
