/** The registry's password reaches the cluster, and nothing else. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { runPulumi } from "../../sandbox/session/pulumi.ts";
import type { Session } from "../../sandbox/session/session.ts";
import { clients, freshSession, run, useStack } from "./support.ts";

const NAME = "e2e-secrets";
const PASSWORD = "correct-horse-battery";
const AUTH = Buffer.from(`robot:${PASSWORD}`).toString("base64");
let session: Session;

beforeAll(async () => {
  session = await freshSession(NAME);
  const registry = { host: "10.61.3.31:35000", pullSecret: { username: "robot" } };
  await useStack(session, "Pulumi.airgap.yaml", {
    mode: "RawDeployment",
    ingress: { type: "none" },
    registry,
  });
  const path = "kserve:registry.pullSecret.password";
  await runPulumi(session.context, [
    "config",
    "set",
    "--stack",
    "e2e",
    "--secret",
    "--path",
    path,
    PASSWORD,
  ]);
});
afterAll(async () => {
  await stopCluster({ name: NAME });
});

it("places the pull secret without showing the password", async () => {
  const result = await run(session, "up");
  expect(result.code).toBe(0);
  expect(result.output).not.toContain(PASSWORD);
  const secret = await clients(session).core.readNamespacedSecret({
    name: "kserve-registry",
    namespace: "kserve",
  });
  const config = Buffer.from(secret.data?.[".dockerconfigjson"] ?? "", "base64").toString();
  expect(JSON.parse(config)).toMatchObject({
    auths: { "10.61.3.31:35000": { password: PASSWORD } },
  });
});

it("keeps it out of the state", async () => {
  const { output } = await runPulumi(session.context, ["stack", "export", "--stack", "e2e"]);
  expect(output).toContain("kubernetes:core/v1:Secret");
  for (const text of [PASSWORD, AUTH]) {
    expect(output).not.toContain(text);
    expect(output).not.toContain(Buffer.from(text).toString("base64").slice(0, -4));
  }
});
