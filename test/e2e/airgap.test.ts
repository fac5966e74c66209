/**
 * Across an air gap, in both modes: everything from a registry beside the cluster, nothing from anywhere else, and what
 * is missing there or forgotten in the plan is named before it does harm.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { contentsOfPlan } from "../../bundle/contents.ts";
import type { Contents } from "../../bundle/contents.ts";
import { requireOutsidePlan } from "../../cli/stack.ts";
import type { Mode } from "../../config/schema.ts";
import type { Filled } from "../../sandbox/airgap/fill.ts";
import {
  closeGap,
  fillGap,
  gapRequests,
  gapStackFile,
  gapTrace,
  insideGap,
  openGap,
  openGapStack,
  planGap,
  runBundle,
} from "../../sandbox/airgap/gap.ts";
import type { Gap } from "../../sandbox/airgap/gap.ts";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { REGISTRY_USER } from "../../sandbox/registry/config.ts";
import { stopRegistry } from "../../sandbox/registry/server.ts";
import { runProgram } from "../../sandbox/session/pulumi.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { installedImage, takeOut } from "../support/gap-images.ts";
import { clients, freshSession, ROOT, run } from "./support.ts";

const NAME = "e2e-airgap";
const FILE = join(ROOT, "Pulumi.airgap.yaml");
let session: Session;
let gap: Gap;
let contents: Contents;
let filled: Filled;

/** Fills the registry for a mode, as the sandbox does. */
async function fill(mode: Mode): Promise<void> {
  const outside = await requireOutsidePlan(await gapStackFile(gap, { file: FILE, mode }), "1.34");
  if (outside === undefined) throw new Error("the stack has problems");
  contents = contentsOfPlan(outside.plan);
  filled = await fillGap(gap, { contents, charts: session.charts.path });
}

async function verify(mode: Mode): Promise<{ code: number; output: string }> {
  const file = await gapStackFile(gap, { file: FILE, mode }, filled.pinned);
  return runBundle(gap, ["verify", "--stack", file]);
}

async function configure(mode: Mode, config: Record<string, unknown> = {}): Promise<void> {
  const stack = { name: "e2e", file: FILE, mode };
  await openGapStack(session, gap, stack, { images: filled.pinned, config });
}

/** Paths of the charts that Helm has pulled, each once. */
async function pulledCharts(): Promise<string[]> {
  const requests = await gapRequests(gap);
  const manifests = requests.filter(
    ({ agent, status, path }) =>
      agent.startsWith("Helm/") && status === 200 && path.includes("/manifests/"),
  );
  const names = manifests.map(({ path }) => /^\/v2\/charts\/([^/]+)/.exec(path)?.[1] ?? path);
  return [...new Set(names)].sort();
}

async function expectNobodyLeft(): Promise<void> {
  const rows = await gapTrace(gap);
  expect(rows.filter(({ answer }) => answer === "refused")).toEqual([]);
  expect(new Set(rows.map(({ to }) => to))).toEqual(new Set([gap.registry.host]));
  expect(await pulledCharts()).toEqual(
    [...new Set(contents.charts.map(({ name }) => name))].sort(),
  );
}

beforeAll(async () => {
  await stopRegistry(NAME);
  session = await freshSession(NAME);
  gap = await openGap(await planGap(NAME), () => undefined);
  session = await insideGap(session, gap);
  await fill("Serverless");
});
afterAll(async () => {
  await closeGap(gap);
  await stopRegistry(NAME);
  await stopCluster({ name: NAME });
});

it("fills the registry with everything that the stack needs", async () => {
  expect(filled.images).toEqual({ real: 0, built: 0, server: 0, standIn: contents.images.length });
  const { code, output } = await verify("Serverless");
  expect(output).toContain("are there.");
  expect(code).toBe(0);
});

it.each(["kserve/agent", "serving/cmd/activator"])(
  "names %s when it is taken out of the registry, and nothing else",
  async (upstream) => {
    const image = installedImage(contents, upstream);
    expect(await takeOut(gap, image)).toBe(202);
    const { code, output } = await verify("Serverless");
    expect(code).toBe(1);
    const missing = output.split("\n").filter((line) => line.startsWith("missing "));
    expect(missing).toEqual([`missing image ${image.host}/${image.repository}:${image.tag ?? ""}`]);
    await fill("Serverless");
    expect((await verify("Serverless")).code).toBe(0);
  },
);

it("installs Serverless from the registry alone", async () => {
  await configure("Serverless");
  expect((await run(session, "up")).code).toBe(0);
  await expectNobodyLeft();
});

it("names pods' images by the registry, and gives its password to nobody in clear text", async () => {
  const { items } = await clients(session).core.listPodForAllNamespaces();
  const own = items.filter(({ metadata }) => metadata?.namespace !== "kube-system");
  const all = own.flatMap(({ spec }) => spec?.containers.map(({ image }) => image) ?? []);
  // Istio's webhook, which is off here, puts the sidecar's image in the place of this word.
  const images = all.filter((image) => image !== "auto");
  expect(images.length).toBeGreaterThan(5);
  expect(images.filter((image) => image?.startsWith(`${gap.registry.host}/`) !== true)).toEqual([]);
  const { layout } = session;
  const state = join(layout.backend, ".pulumi", "stacks", "kserve-platform", "e2e.json");
  for (const file of [state, join(layout.project, "Pulumi.e2e.yaml")])
    expect(await readFile(file, "utf8")).not.toContain(REGISTRY_USER.password);
});

it("ends a preview in which one override is missing, names it, and passes once it is back", async () => {
  await configure("Serverless", {
    knative: { values: { registry: { override: { "activator/activator": null } } } },
  });
  const without = await run(session, "preview");
  expect(without.code).not.toBe(0);
  expect(without.output).toContain("registry-image-allowed");
  expect(without.output).toContain('spec.registry.override["activator/activator"]');
  await configure("Serverless");
  expect((await run(session, "preview")).code).toBe(0);
});

it("changes to RawDeployment from the registry alone", async () => {
  await fill("RawDeployment");
  expect((await verify("RawDeployment")).code).toBe(0);
  await configure("RawDeployment");
  expect((await run(session, "up")).code).toBe(0);
  await expectNobodyLeft();
});

it("would have noticed a program that asks somebody else", async () => {
  const ask = 'fetch("https://upstream.example/v2/").catch(() => process.exit(3))';
  const env = { ...process.env, ...gap.env };
  const { code } = await runProgram(process.execPath, ["-e", ask], { cwd: ROOT, env });
  expect(code).toBe(3);
  const refused = (await gapTrace(gap)).filter(({ answer }) => answer === "refused");
  expect(refused.map(({ to }) => to)).toEqual(["upstream.example:443"]);
});
