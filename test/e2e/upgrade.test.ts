/**
 * The preview of an upgrade whose objects use a field that only the new definitions know. The provider previews an
 * update as a server-side dry run against what is on the cluster, so each of these steps ended its preview. Which
 * releases bring which field: kserve/kserve, charts of the releases held against each other's definitions.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { loadCatalog } from "../../versions/catalog.ts";
import { chartsWithSchemas } from "../support/charts-with-schemas.ts";
import type { NewField } from "../support/charts-with-schemas.ts";
import { freshSession, run, useStack } from "./support.ts";

const NAME = "e2e-upgrade";
const RUNTIME = "ClusterServingRuntime";
const STORAGE = "ClusterStorageContainer";
const RAW = { mode: "RawDeployment", ingress: { type: "none", domain: "sandbox.local" } };
let session: Session;
let folder: string;

beforeAll(async () => {
  session = await freshSession(NAME);
  folder = await mkdtemp(join(tmpdir(), "e2e-upgrade-"));
});
afterAll(async () => {
  await stopCluster({ name: NAME });
  await rm(folder, { recursive: true, force: true });
});

/** The stack of a release, on the Kubernetes that its set is published for. */
async function useRelease(version: string, charts: string): Promise<void> {
  const set = loadCatalog().sets.find((item) => item.kserve === version);
  const kubernetes = { version: set?.kubernetes.at(-1) };
  const here: Session = { ...session, charts: { kind: "directory", path: charts } };
  await useStack(here, "Pulumi.sandbox.yaml", { ...RAW, kserve: { version }, kubernetes });
}

/**
 * Newest first: definitions stay when a stack goes, and the provider that can be built from a Go module ends a preview
 * at a kind that the cluster has never heard of (pulumi/pulumi-kubernetes#4394, mended in 4.32.0), which
 * ClusterStorageContainer is before KServe 0.11.2.
 */
const STEPS: readonly (readonly [string, string, NewField])[] = [
  ["0.15.2", "0.16.0", { kind: STORAGE, path: ["supportsMultiModelDownload"], value: true }],
  ["0.14.1", "0.15.2", { kind: RUNTIME, path: ["workerSpec", "pipelineParallelSize"], value: 2 }],
  ["0.13.1", "0.14.1", { kind: STORAGE, path: ["workloadType"], value: "initContainer" }],
  [
    "0.11.0",
    "0.11.2",
    { kind: RUNTIME, path: ["supportedModelFormats", "[]", "priority"], value: 1 },
  ],
];

it.each(STEPS)(
  "previews and does %s → %s, and says what it could not judge",
  async (from, to, field) => {
    const charts = join(folder, `${from}-${to}`);
    const { path = "" } = session.charts;
    await chartsWithSchemas({ from: path, to: charts }, { old: from, new: to }, field);
    await useRelease(from, charts);
    expect((await run(session, "up")).code).toBe(0);
    const still = await run(session, "preview");
    expect(still.output).not.toContain("without the cluster's schema");
    await useRelease(to, charts);
    const preview = await run(session, "preview");
    expect(preview.code).toBe(0);
    expect(preview.output).toMatch(
      /previewed without the cluster's schema: \d+ objects? of serving\.kserve\.io, because definitions change in this run/,
    );
    expect((await run(session, "up", "--skip-preview=false")).code).toBe(0);
    expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
    expect((await run(session, "destroy")).code).toBe(0);
  },
);
