import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { imagesAsTable } from "../../cli/images.ts";
import { planAsTable } from "../../cli/plan.ts";
import { readStackFile } from "../../config/stack-file.ts";
import type { Settings } from "../../config/schema.ts";
import { findImages } from "../../images/scan.ts";
import { parseReference } from "../../images/reference.ts";
import type { Plan } from "../../plan/plan.ts";
import { resolve } from "../../plan/resolve.ts";
import { formatProblems } from "../../problems/problem.ts";
import { catalog } from "../support/settings.ts";

/** A day before the end of life of anything in the default set: what is left then is about the stacks themselves. */
const asOf = "2026-01-31";
const ROOT = join(import.meta.dirname, "..", "..");

async function settingsOfStack(stack: string): Promise<Settings> {
  const { settings, problems } = await readStackFile(join(ROOT, `Pulumi.${stack}.yaml`));
  if (settings === undefined) throw new Error(formatProblems(problems));
  return settings;
}

/**
 * The plan of a stack file of this project; throws with the report on the least problem, warnings included. Tags that
 * upstream moves are the one warning that a stack cannot help: a runtime of KServe has no other.
 */
async function planOfStack(stack: string): Promise<Plan> {
  const { plan, problems: all } = resolve(await settingsOfStack(stack), catalog, { asOf });
  const problems = all.filter((problem) => problem.code !== "images-moving-tag");
  if (plan === undefined || problems.length > 0) throw new Error(formatProblems(problems));
  return plan;
}

/** What a reviewer wants to see change: layers, where charts come from, and every image. */
function review(plan: Plan): string {
  const charts = plan.layers.flatMap((layer) => [
    ...layer.charts.map(({ location }) =>
      [location.chart, location.version, location.repo].filter(Boolean).join("  "),
    ),
    ...layer.manifests.map((manifest) => manifest.location),
  ]);
  return `${planAsTable(plan)}\n\nFROM\n${charts.join("\n")}\n\n${imagesAsTable(plan.images)}\n`;
}

describe.each(["online", "airgap"])("the stack %s", (stack) => {
  it("resolves without problems to the reviewed layers and images", async () => {
    const text = review(await planOfStack(stack));
    await expect(text).toMatchFileSnapshot(join("__snapshots__", `${stack}.txt`));
  });
});

describe("the stack airgap", () => {
  it("takes every image from its registry", async () => {
    const { images, settings } = await planOfStack("airgap");
    const host = settings.registry?.host;
    expect(images.length).toBeGreaterThan(30);
    expect(images.filter((item) => parseReference(item.image)?.host !== host)).toEqual([]);
  });

  it("names no image from elsewhere in chart values and in Knative's resource", async () => {
    const plan = await planOfStack("airgap");
    const values = plan.layers.flatMap((layer) => layer.charts.map((chart) => chart.values));
    const found = findImages([values, plan.knativeServing]);
    const host = plan.settings.registry?.host;
    expect(found.length).toBeGreaterThan(8);
    expect(found.filter((image) => image.reference.host !== host)).toEqual([]);
  });

  it("fetches no chart and no file over the network", async () => {
    const { layers } = await planOfStack("airgap");
    const places = layers.flatMap((layer) => [
      ...layer.charts.map((chart) => chart.location.chart),
      ...layer.manifests.map((manifest) => manifest.location),
    ]);
    expect(places.length).toBeGreaterThan(6);
    expect(places.filter((place) => !place.startsWith("charts/"))).toEqual([]);
  });

  it("installs the same versions as the stack online", async () => {
    const [online, airgap] = await Promise.all(["online", "airgap"].map(planOfStack));
    expect(airgap?.selection).toEqual(online?.selection);
  });
});

describe("the stack sandbox", () => {
  it("resolves on every Kubernetes of the default set", async () => {
    const settings = await settingsOfStack("sandbox");
    expect(catalog.defaultSet.kubernetes.length).toBeGreaterThan(0);
    for (const version of catalog.defaultSet.kubernetes) {
      const { plan, problems } = resolve({ ...settings, kubernetes: { version } }, catalog, {
        asOf,
      });
      expect(problems).toEqual([]);
      expect(plan?.layers.map((layer) => layer.name)).toContain("KnativeServing");
    }
  });
});
