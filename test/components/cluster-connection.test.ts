import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { beforeAll, describe, expect, it } from "vitest";
import { ClusterConnection } from "../../components/cluster-connection.ts";
import { runProgram } from "../support/program.ts";
import { startRecording } from "../support/pulumi-mocks.ts";

const MODULE = join(import.meta.dirname, "../../components/cluster-connection.ts");
/** Port that nothing listens on: privileged, and no service's. */
const NOBODY = "https://127.0.0.1:1";

beforeAll(() => startRecording());

function kubeconfigFor(server: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "connection-")), "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  };
  writeFileSync(path, stringify(config));
  return path;
}

describe("ClusterConnection", () => {
  it("knows the cluster of the stack's kubeconfig, and opens once", async () => {
    const connection = new ClusterConnection({ kubeconfig: kubeconfigFor(NOBODY) });
    const api = await connection.open();
    expect(api.server).toBe(NOBODY);
    expect(await connection.open()).toBe(api);
  });

  it("fails each request on its own where the cluster does not answer", async () => {
    const api = await new ClusterConnection({ kubeconfig: kubeconfigFor(NOBODY) }).open();
    const requests = [api.get("/a"), api.apply("/b", "kind: B"), api.delete("/c")];
    const results = await Promise.allSettled(requests);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({
      message: expect.stringContaining("ECONNREFUSED") as string,
    });
  });

  it("says what is wrong with a kubeconfig that cannot be read", async () => {
    const connection = new ClusterConnection({ kubeconfig: "/no/such/kubeconfig" });
    await expect(connection.open()).rejects.toThrow("/no/such/kubeconfig");
  });

  it("does not keep the program when nothing is left to do", async () => {
    const lines = `
      const { openCluster } = await import(${JSON.stringify(MODULE)});
      const api = await openCluster({ kubeconfig: ${JSON.stringify(kubeconfigFor(NOBODY))} });
      await api.get("/a").catch(({ message }) => console.log(message));`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", lines], {
      timeout: 15_000,
    });
    expect((await run).stdout).toContain("ECONNREFUSED");
  });

  it("is opened with the first namespace that is created", async () => {
    const recording = await runProgram();
    for (const namespace of recording.ofType("kubernetes:core/v1:Namespace"))
      expect(namespace.hooks.create).toEqual(["open-connection"]);
  });
});
