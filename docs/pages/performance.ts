import { readFileSync } from "node:fs";
import { join } from "node:path";
import { median, ratio, resultsSchema } from "../../bench/results.ts";
import type { Measured, Results } from "../../bench/results.ts";
import { OPERATIONS, SCENARIOS } from "../../bench/ways.ts";
import { table } from "./markdown.ts";

const FIGURES = join(import.meta.dirname, "..", "performance.json");
/** Changes with their figures before and after, by hand: a benchmark knows only what is. */
const NOTES = join(import.meta.dirname, "performance-notes.md");

/** `docs/performance.md`: the figures of the last `npm run bench` that was committed, and what led to them. */
export function performancePage(): string {
  const results = resultsSchema.parse(JSON.parse(readFileSync(FIGURES, "utf8")));
  return [
    "# Performance",
    "<!-- Written by `npm run docs` from docs/performance.json and docs/pages/performance-notes.md. Change those. -->",
    `Measured on ${results.date}, two cores, both ways in turn, each on a new cluster; rounds: ${String(results.rounds)}, the medians count (in brackets the fastest and the slowest). A loop of fixed length (\`bench/pace.ts\`) took ${seconds(results.paceSeconds)} s meanwhile: the machine's own pace. Again: \`npm run bench\` (with real charts: \`PLATFORM_CHARTS=DIR npm run bench\`), then \`npm run docs\`.`,
    "The other way is the script that people have: `kubectl apply` and `helm install --wait`, one after another, with the same charts, values and objects (`bench/helm-script.ts`). `pulumi` runs with the policy pack wherever the engine takes one.",
    "## Seconds",
    secondsTable(results),
    "## Where this program's processor time goes",
    programsTable(results),
    "## State",
    stateTable(results),
    "## The catalog, and many stacks",
    `Planning, checking and listing the images of ${String(results.catalog.plans)} stacks (every KServe release in every mode that it has) takes ${results.catalog.seconds.toFixed(2)} s in one process.`,
    ...(results.growth.length === 0 ? [] : [growthTable(results)]),
    "## What ran",
    results.environment.map((line) => `- ${line}`).join("\n"),
    readFileSync(NOTES, "utf8"),
  ].join("\n\n");
}

function find(
  results: Results,
  scenario: string,
  operation: string,
  way: Measured["way"],
): Measured | undefined {
  return results.measured.find(
    (item) => item.scenario === scenario && item.operation === operation && item.way === way,
  );
}

function secondsTable(results: Results): string {
  const rows = SCENARIOS.flatMap(({ name }) =>
    OPERATIONS.map((operation) => [
      name,
      operation,
      seconds(find(results, name, operation, "helm")?.seconds),
      seconds(find(results, name, operation, "pulumi")?.seconds),
      ratio(results, name, operation)?.toFixed(2) ?? "",
      find(results, name, operation, "pulumi")?.medianCpuSeconds.toFixed(1) ?? "",
    ]),
  );
  return table(["mode", "operation", "helm", "pulumi", "ratio", "pulumi, processor"], rows);
}

/** Median, and in brackets the extremes. */
function seconds(values: readonly number[] | undefined): string {
  if (values === undefined) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(1)} (${low.toFixed(1)}–${high.toFixed(1)})`;
}

function programsTable(results: Results): string {
  const rows = ["install", "nothing to do", "preview"].flatMap((operation) =>
    (find(results, "Serverless", operation, "pulumi")?.programs ?? []).map((item) => [
      operation,
      item.program,
      item.cpuSeconds.toFixed(2),
      item.peakMiB.toFixed(0),
    ]),
  );
  return table(["Serverless", "process", "processor s", "peak memory MiB"], rows);
}

function stateTable(results: Results): string {
  const rows = results.stacks.map((stack) => [
    stack.scenario,
    String(stack.resources),
    `${(stack.stateBytes / 1_000_000).toFixed(2)} MB`,
    String(stack.waits),
  ]);
  return table(["mode", "resources", "state file", "waits"], rows);
}

function growthTable(results: Results): string {
  const rows = results.growth.map((item) => [
    String(item.stacks),
    item.previewSeconds.toFixed(1),
    `${(item.stateBytes / 1_000_000).toFixed(1)} MB`,
  ]);
  return table(["stacks in the backend", "preview of one, s", "states"], rows);
}
