import { describe, expect, it } from "vitest";
import { ImageMap } from "../../../images/image-map.ts";
import { collisions } from "../../../images/mirror.ts";
import type { MirrorLayout } from "../../../images/mirror.ts";
import { MODES } from "../../../config/schema.ts";
import { isMoving } from "../../../images/moving.ts";
import { parseReference } from "../../../images/reference.ts";
import { imageSources, planImages } from "../../../plan/images.ts";
import { resolveIngress } from "../../../plan/ingress.ts";
import { upstreamOf } from "../../../plan/values/images.ts";
import { PRODUCTS } from "../../../versions/schema.ts";
import { catalog, planOf, problemsOf, settingsOf } from "../../support/settings.ts";

const perHost: MirrorLayout = {
  host: "harbor.test",
  layout: "project-per-host",
  projects: {},
  exempt: [],
};
const single: MirrorLayout = { ...perHost, layout: "single-project", project: "platform" };
const all = catalog
  .releases()
  .flatMap((release) => release.images.map((image) => ({ release, image })));
const upstreams = all.map(({ image }) => upstreamOf(image));

describe.each([perHost, single])("images of all releases in $layout", (layout) => {
  it("never meet at one mirrored name", () => {
    const references = upstreams.flatMap((upstream) => parseReference(upstream) ?? []);
    expect(references.length).toBe(upstreams.length);
    expect([...collisions(references, layout)]).toEqual([]);
  });

  it("are all found under the mirror, and Istio's auto is none of them", () => {
    const map = new ImageMap(upstreams, layout);
    expect(
      upstreams.filter((upstream) => !map.target(upstream).startsWith("harbor.test/")),
    ).toEqual([]);
    expect(map.rewriteObject({ image: "auto", text: "image: auto\n" })).toEqual({
      image: "auto",
      text: "image: auto\n",
    });
  });
});

describe("moving tags", () => {
  it.each([
    ["a/b", true],
    ["a/b:latest", true],
    ["a/b:v1.34-latest", true],
    ["a/b:latest-gpu", true],
    ["a/b:v1.2.3", false],
    ["a/b:23.05-py3", false],
    ["a/b:1.4-devel", false],
    [`a/b:latest@sha256:${"0".repeat(64)}`, false],
  ])("%s: %s", (text, moving) => {
    const reference = parseReference(text);
    expect(reference !== undefined && isMoving(reference)).toBe(moving);
  });

  it("are marked in the catalog, every one", () => {
    const unmarked = all.filter(({ image }) => {
      const reference = parseReference(upstreamOf(image));
      return reference !== undefined && isMoving(reference) && image.floating !== true;
    });
    expect(
      unmarked.map(({ release, image }) => `${release.product} ${release.version} ${image.image}`),
    ).toEqual([]);
  });

  it("are a warning where there is a mirror that freezes them, and never stop a stack", () => {
    const registry = { host: "harbor.test" };
    expect(problemsOf({ registry })).toContain("images-moving-tag");
    expect(problemsOf({})).not.toContain("images-moving-tag");
    expect(problemsOf({ registry: { ...registry, exempt: ["docker.io/vllm"] } })).not.toContain(
      "images-moving-tag",
    );
    expect(planOf({ registry }).images.some((image) => image.floating)).toBe(true);
  });
});

describe("every image of the catalog", () => {
  it("says where it is used and where that was read", () => {
    const silent = all.filter(({ image }) => image.usedBy === "" || image.source === "");
    expect(silent).toEqual([]);
  });

  it("names a chart that its release has", () => {
    const lost = all.filter(
      ({ release, image }) =>
        image.chart !== undefined && !release.charts.some((chart) => chart.role === image.chart),
    );
    expect(
      lost.map(({ release, image }) => `${release.product} ${release.version} ${image.name}`),
    ).toEqual([]);
  });
});

describe("listing images", () => {
  // Of processor time: what else the machine does is not ours.
  it("takes less than a second for every KServe release in every mode, with a mirror", () => {
    const { name: _name, ...set } = catalog.defaultSet;
    const begin = process.cpuUsage();
    const counts = catalog.versions("kserve").flatMap((kserve) =>
      MODES.map((mode) => {
        const settings = settingsOf({ mode, registry: { host: "harbor.test" } });
        const sources = imageSources(
          { ...versionsOf(set), kserve },
          resolveIngress(settings, catalog),
          catalog,
        );
        return planImages(sources, settings, catalog).images.length;
      }),
    );
    const { user, system } = process.cpuUsage(begin);
    expect((user + system) / 1000).toBeLessThan(1000);
    expect(counts.length).toBe(catalog.versions("kserve").length * MODES.length);
    expect(Math.min(...counts)).toBeGreaterThan(20);
  });
});

/** Products of a set; its other fields are for people. */
function versionsOf(set: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    PRODUCTS.flatMap((product) =>
      typeof set[product] === "string" ? [[product, set[product]]] : [],
    ),
  );
}
