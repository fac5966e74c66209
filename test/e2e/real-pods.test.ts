/**
 * The life of a stack on real pods: the first `up` installs everything and a model answers, later ones change nothing,
 * and what goes goes whole. Every image and chart comes from a registry behind an air gap. Steps stand on each other.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { closeGap, gapTrace } from "../../sandbox/airgap/gap.ts";
import { irisModel } from "../../sandbox/images/index.ts";
import { stateFolder } from "../../sandbox/paths.ts";
import { realLayout } from "../../sandbox/real/layout.ts";
import { predict } from "../../sandbox/session/prediction.ts";
import type { Prediction } from "../../sandbox/session/prediction.ts";
import { runProgram } from "../../sandbox/session/pulumi.ts";
import type { PulumiResult } from "../../sandbox/session/pulumi.ts";
import { readRefusals } from "../support/audit.ts";
import { whileBusy } from "../support/busy.ts";
import { listEverything, titleOf } from "../support/cluster-objects.ts";
import { noRealNode, processesOf, traces } from "../support/real-node.ts";
import type { Traces } from "../support/real-node.ts";
import { closeRealPods, configureReal, openRealPods, renewCluster } from "../support/real-pods.ts";
import type { RealPods } from "../support/real-pods.ts";
import { ROOT, run } from "./support.ts";

const NAME = "e2e-real-pods";
const skipped = await noRealNode();
let pods: RealPods;
let traced: Traces;
let before: string[];
const predictions: Prediction[] = [];

/** What controllers ask for once, to learn that this installation does without. */
const DONE_WITHOUT = [
  // Kinds of modes and features that this stack has not (kserve/kserve@v0.20.0:pkg/utils/utils.go, IsCrdAvailable).
  "kserve:kserve-controller-manager /apis/keda.sh/v1alpha1",
  "kserve:kserve-controller-manager /apis/networking.istio.io/v1beta1",
  "kserve:kserve-controller-manager /apis/opentelemetry.io/v1beta1",
  "kserve:kserve-controller-manager /apis/serving.knative.dev/v1",
  // TCPRoute and UDPRoute of the experimental channel, ServiceImport, and Kubernetes' own ClusterTrustBundle (envoyproxy/gateway@v1.8.3:internal/provider/kubernetes/controller.go).
  "envoy-gateway-system:envoy-gateway /apis/gateway.networking.k8s.io/v1alpha2",
  "envoy-gateway-system:envoy-gateway /apis/multicluster.x-k8s.io/v1alpha1",
  "envoy-gateway-system:envoy-gateway /apis/certificates.k8s.io/v1beta1",
];

/** The volume of the model is its user's. */
const THEIRS = /^persistentvolume(?:claims models\/|s )sandbox-models$/;

/** What a destroy leaves on purpose: definitions, whose objects are other people's data, and the guard of Gateway API's. */
const KEPT =
  /^(?:customresourcedefinitions\.apiextensions\.k8s\.io |apiservices\.apiregistration\.k8s\.io |validatingadmissionpolic(?:ies|ybindings)\.admissionregistration\.k8s\.io safe-upgrades\.gateway\.networking\.k8s\.io$)/;

beforeEach((context) => {
  if (skipped !== undefined) context.skip(skipped);
});
beforeAll(async () => {
  if (skipped !== undefined) return;
  await closeRealPods(NAME, undefined);
  traced = await traces();
  pods = await openRealPods(NAME);
  before = (await listEverything(pods.session)).map(titleOf);
  await configureReal(pods);
});
afterAll(() => closeRealPods(NAME, pods));

/** A resource that failed, its reason, or the count of such (pulumi/pulumi@v3.229.0:pkg/backend/display). */
const FAILURE = /\*\*[a-z ]*failed\*\*|^\s*error:|\d errored$/;

/** Fails with the engine's own words where an operation, or one resource in it, did not go well. */
function expectWhole({ code, output }: PulumiResult): void {
  const failures = output.split("\n").filter((line) => FAILURE.test(line));
  expect(failures).toEqual([]);
  expect(code).toBe(0);
}

async function expectRightAnswers(): Promise<void> {
  const model = await irisModel({ report: () => undefined });
  predictions.push(...(await predict(pods.session, { model, tell: () => undefined })));
  const asked = predictions.map(({ url, protocol }) => `${new URL(url).protocol} ${protocol}`);
  expect(asked).toEqual(["http: v1", "http: v2", "https: v1", "https: v2"]);
  for (const { answer, expected } of predictions) expect(answer).toEqual(expected);
}

it("installs everything in one run, without one resource that failed", async () => {
  expectWhole(await run(pods.session, "up"));
  const elsewhere = (await gapTrace(pods.gap)).filter(({ answer }) => answer === "refused");
  expect(elsewhere).toEqual([]);
});

it("changes nothing in a second run", async () => {
  expectWhole(await run(pods.session, "up", "--expect-no-changes"));
});

it("finds the cluster as the state says", async () => {
  expectWhole(await run(pods.session, "refresh", "--expect-no-changes"));
});

it("answers rightly through the gateway, over http and https, in both protocols", async () => {
  await expectRightAnswers();
});

it("gives controllers every right and every kind that they ask for", async () => {
  const { requests, forbidden, notServed } = await readRefusals(NAME);
  expect(requests).toBeGreaterThan(100);
  expect(forbidden).toEqual([]);
  expect(notServed.filter((line) => !DONE_WITHOUT.includes(line))).toEqual([]);
});

it("is not destroyed while the model is served, and says whose it is", async () => {
  const { code, output } = await run(pods.session, "destroy");
  expect(code).not.toBe(0);
  expect(output).toMatch(/\[destroy-in-use\][^]*InferenceService models\/sklearn-iris/);
  expectWhole(await run(pods.session, "up", "--expect-no-changes"));
});

it("takes the service away first where the stack says so, and leaves nothing that hangs", async () => {
  await configureReal(pods, { destroy: { withServices: true } });
  expectWhole(await run(pods.session, "destroy"));
  const left = await listEverything(pods.session);
  expect(left.filter(({ going }) => going)).toEqual([]);
  const titles = left.map(titleOf);
  expect(titles.filter((title) => title.includes("inferenceservices"))).not.toEqual([]);
  const more = titles.filter((title) => !before.includes(title));
  expect(more.filter((title) => !KEPT.test(title) && !THEIRS.test(title))).toEqual([]);
});

it("installs everything in one run on a machine whose processors are all busy", async () => {
  await renewCluster(pods);
  await configureReal(pods);
  expectWhole(await whileBusy(() => run(pods.session, "up")));
});

it("goes down without leaving a mount, link, control group, folder or process", async () => {
  await closeGap(pods.gap);
  const down = [join(ROOT, "cli", "platform.js"), "sandbox", "down", "--name", NAME];
  const { code } = await runProgram(process.execPath, down, { cwd: ROOT, env: process.env });
  expect(code).toBe(0);
  expect(existsSync(stateFolder(NAME))).toBe(false);
  expect(await traces()).toEqual(traced);
  expect(processesOf({ text: realLayout(NAME).folder })).toEqual([]);
});
