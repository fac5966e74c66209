/**
 * What goes wrong with real pods, one fault after another on one cluster: each is named within two minutes, and once it
 * is mended the next `up` comes further; the last one finishes. Steps stand on each other.
 */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { realLayout } from "../../sandbox/real/layout.ts";
import { breakOrder, mendOrder } from "../support/broken-order.ts";
import { installedImage, takeOut } from "../support/gap-images.ts";
import { noRealNode } from "../support/real-node.ts";
import {
  closeRealPods,
  configureReal,
  misspellPassword,
  openRealPods,
  refill,
  trustRegistry,
} from "../support/real-pods.ts";
import type { RealPods } from "../support/real-pods.ts";
import { clients, run } from "./support.ts";

const NAME = "e2e-real-faults";
const LIMIT_SECONDS = 120;
const skipped = await noRealNode();
let pods: RealPods;
/** Where the registry has the image of KServe's controller. */
let controller: string;

beforeEach((context) => {
  if (skipped !== undefined) context.skip(skipped);
});
beforeAll(async () => {
  if (skipped !== undefined) return;
  pods = await openRealPods(NAME);
  await configureReal(pods);
});
afterAll(() => closeRealPods(NAME, pods));

/** Runs `up`, which has to fail soon; gives what it says. */
async function failingUp(): Promise<string> {
  const started = performance.now();
  const { code, output } = await run(pods.session, "up");
  const seconds = (performance.now() - started) / 1000;
  expect(code).not.toBe(0);
  expect(seconds).toBeLessThan(LIMIT_SECONDS);
  return output;
}

/** Takes the registry's CA from what the container runtime knows. */
async function forgetCa(): Promise<void> {
  const { folder } = realLayout(NAME);
  const file = join(folder, "certs.d", pods.gap.registry.host, "hosts.toml");
  const lines = (await readFile(file, "utf8")).split("\n");
  const without = lines.filter((line) => !line.startsWith("ca = "));
  expect(without.length).toBeLessThan(lines.length);
  await writeFile(file, without.join("\n"));
}

async function lose(upstream: string): Promise<string> {
  const image = installedImage(pods.contents, upstream);
  expect(await takeOut(pods.gap, image)).toBe(202);
  return image.repository;
}

/** Has an image pulled again at once, as the report says: kubelet itself would wait for minutes by now. */
async function pullAgain(namespace: string): Promise<void> {
  const { core } = clients(pods.session);
  const failing = async () =>
    (await core.listNamespacedPod({ namespace })).items.filter(
      ({ status }) => status?.conditions?.find(({ type }) => type === "Ready")?.status !== "True",
    );
  for (const { metadata } of await failing())
    await core.deleteNamespacedPod({ namespace, name: metadata?.name ?? "" });
  while ((await failing()).length > 0) await sleep(500);
}

it("names the registry's CA where a node has not got it", async () => {
  await forgetCa();
  const output = await failingUp();
  expect(output).toContain("[readiness-image-not-pulled]");
  expect(output).toContain("the nodes do not trust the registry's certificate");
});

it("names an image of cert-manager's that the registry has not got, now that the CA is there", async () => {
  await trustRegistry(pods);
  const repository = await lose("cert-manager-webhook");
  const output = await failingUp();
  expect(output).toContain("the registry has no such image");
  expect(output).toContain(repository);
});

it("names the pull secret where the registry refuses it, now that the image is there", async () => {
  await refill(pods);
  await pullAgain("cert-manager");
  await misspellPassword(pods);
  const output = await failingUp();
  expect(output).toContain("the registry refuses the login");
  expect(output).toContain("pod envoy-gateway-system/");
});

it("lets KServe's webhook be called too early where nobody waits for its controller", async () => {
  await configureReal(pods);
  controller = await lose("kserve/kserve-controller");
  const folder = await mkdtemp(join(tmpdir(), "broken-order-"));
  await breakOrder(pods.session, folder);
  const { code, output } = await run(pods.session, "up");
  await mendOrder(pods.session, folder);
  expect(code).not.toBe(0);
  expect(output).toMatch(/failed calling webhook[^]*kserve-webhook-server/);
});

it("waits for KServe's controller, and names its image that the registry has not got", async () => {
  const output = await failingUp();
  expect(output).toContain("the registry has no such image");
  expect(output).toContain(controller);
  expect(output).not.toContain("failed calling webhook");
});

it("finishes in the end, once everything is mended", async () => {
  await refill(pods);
  await pullAgain("kserve");
  expect((await run(pods.session, "up")).code).toBe(0);
  expect((await run(pods.session, "up", "--expect-no-changes")).code).toBe(0);
});
