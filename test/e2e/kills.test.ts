/** What happens when `pulumi` and its plugins are killed outright, at points nobody chose. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { pulumiEnvironment, runPulumi } from "../../sandbox/session/pulumi.ts";
import { operate } from "../../sandbox/session/session.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { killTree } from "../support/kill-tree.ts";
import { freshSession, ROOT, run, useStack } from "./support.ts";

const NAME = "e2e-kills";
/** Kills of one installation; each run before the last goes on from where the one before was killed. */
const KILLS = 3;
/** Milliseconds in which a run registers, creates and waits: the window that the kills fall into. */
const WINDOW = { from: 4_000, to: 11_000 };
/** Objects that the killed run had sent and not noted down are ours; without this the provider would refuse them. */
const AFTER_A_KILL = {
  PULUMI_K8S_UPSERT_EXISTING_OBJECTS: "true",
  PULUMI_K8S_ENABLE_PATCH_FORCE: "true",
};
let session: Session;

beforeAll(async () => {
  session = await freshSession(NAME);
  await useStack(session, "Pulumi.sandbox.yaml");
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

/** Starts an `up` and kills it with everything that it started: plugins, program, helm. */
async function killedUp(after: number): Promise<void> {
  const { context } = session;
  const args = ["up", "--yes", "--skip-preview", "--stack", "e2e", "--non-interactive"];
  const child = spawn(context.pulumi.path, [...args, "--policy-pack", join(ROOT, "policies")], {
    cwd: context.layout.project,
    env: { ...pulumiEnvironment(context), ...AFTER_A_KILL },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await Promise.race([sleep(after), ended]);
  if (child.exitCode === null && child.pid !== undefined) killTree(child.pid);
  await ended;
}

it("finishes after kills at random points, once the lock is taken away", async () => {
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const after = Math.round(WINDOW.from + Math.random() * (WINDOW.to - WINDOW.from));
    process.stdout.write(`  kill ${String(kill)} after ${String(after)} ms\n`);
    await killedUp(after);
    await runPulumi(session.context, ["cancel", "--yes", "--stack", "e2e"]);
  }
  const finished = await operate(session, { command: "up", stack: "e2e" }, { env: AFTER_A_KILL });
  expect(finished.code, finished.output.slice(-12_000)).toBe(0);
  // The provider notes the two switches down; without them it is another provider once more.
  expect((await run(session, "up")).code).toBe(0);
  expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  expect((await run(session, "destroy")).code).toBe(0);
});
