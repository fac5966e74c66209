/**
 * The image lists of the catalog against charts: stand-ins of every release, or the charts in the folder that
 * `PLATFORM_CHARTS` names. Needs helm, on PATH or in the sandbox's cache.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findCharts } from "../../bundle/chart-folder.ts";
import type { FoundChart } from "../../bundle/chart-folder.ts";
import { findHelm } from "../../cli/helm.ts";
import { KUBERNETES, verifyRelease } from "../../cli/verify-charts.ts";
import { writeStandInCharts } from "../../sandbox/charts/index.ts";
import { catalog } from "../support/settings.ts";

const given = process.env["PLATFORM_CHARTS"];
const releases = catalog.releases().filter((release) => release.charts.length > 0);
const named = releases.map(
  (release) => [`${release.product} ${release.version}`, release] as const,
);

describe(`images of ${given ?? "the stand-in charts"}`, () => {
  let folder = "";
  let helm = "";
  let found: readonly FoundChart[] = [];
  beforeAll(async () => {
    helm = (await findHelm()) ?? "";
    folder = given ?? (await mkdtemp(join(tmpdir(), "images-")));
    if (given === undefined) await writeStandInCharts({ dir: folder, releases });
    found = await findCharts(folder);
  });
  afterAll(async () => {
    if (given === undefined) await rm(folder, { recursive: true });
  });

  it("has helm and charts to render", () => {
    expect(helm).not.toBe("");
    expect(found.length).toBeGreaterThan(0);
  });

  it.each(named)("%s: charts and catalog name the same images", async (_name, release) => {
    const work = { helm, kubernetes: KUBERNETES, catalog, found };
    const { charts, findings, failures } = await verifyRelease(release, work);
    expect(charts.length).toBe(given === undefined ? release.charts.length : charts.length);
    expect({ findings, failures }).toEqual({ findings: [], failures: [] });
  });
});
