import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { componentStatuses, readRecord } from "../../sandbox/cluster/components.ts";
import { clusterConfig } from "../../sandbox/cluster/config.ts";
import { writeKeeperPlan } from "../../sandbox/cluster/keeper-plan.ts";
import { kubeconfigText } from "../../sandbox/cluster/kubeconfig.ts";
import { nodeManifest } from "../../sandbox/cluster/nodes.ts";
import { chooseClusterPorts, isFree } from "../../sandbox/cluster/ports.ts";
import {
  endProcess,
  findProcesses,
  readProcess,
  startDetached,
} from "../../sandbox/cluster/processes.ts";
import { readStages, simulatedKinds, splitStages } from "../../sandbox/cluster/stages.ts";
import { CLUSTER_TOOLS } from "../../sandbox/toolchain/tools.ts";
import type { AddressInfo } from "node:net";
import type { ClusterToolName } from "../../sandbox/toolchain/tools.ts";

const PORTS = {
  etcdPort: 1,
  etcdPeerPort: 2,
  kubeApiserverPort: 3,
  kubeControllerManagerPort: 4,
  kubeSchedulerPort: 5,
  kwokControllerPort: 6,
};
const BINARIES = Object.fromEntries(CLUSTER_TOOLS.map((name) => [name, `/bin/${name}`])) as Record<
  ClusterToolName,
  string
>;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cluster-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("kwokctl configuration", () => {
  const documents = parseAllDocuments(
    clusterConfig({ ports: PORTS, binaries: BINARIES }, readStages().builtIn),
  );
  const options = documents[0]?.toJS() as Record<string, unknown>;

  it("keeps to loopback, our binaries and our ports", () => {
    expect(options["options"]).toMatchObject({
      runtime: "binary",
      bindAddress: "127.0.0.1",
      kubeApiserverBinary: "/bin/kube-apiserver",
      kwokControllerBinary: "/bin/kwok",
      ...PORTS,
    });
  });

  it("turns off the two admission plugins that would call pods that do not run", () => {
    expect(options["componentsPatches"]).toContainEqual({
      name: "kube-apiserver",
      extraArgs: [
        {
          key: "disable-admission-plugins",
          value: "MutatingAdmissionWebhook,ValidatingAdmissionWebhook",
        },
      ],
    });
  });

  it("starts with stages for built-in kinds only, since KWOK ends when a kind is not served", () => {
    const groups = documents.slice(1).map((stage) => stageOf(stage).spec.resourceRef.apiGroup);
    expect(new Set(groups)).toEqual(new Set(["v1", "admissionregistration.k8s.io/v1"]));
  });
});

describe("stages", () => {
  it("cover the kinds whose status an installer waits for", () => {
    const kinds = readStages().deferred.map(({ apiGroup, kinds }) => `${apiGroup} ${kinds.join()}`);
    expect(kinds.sort()).toEqual([
      "cert-manager.io/v1 Certificate,Issuer,ClusterIssuer",
      "gateway.networking.k8s.io/v1 GatewayClass,Gateway",
      "operator.knative.dev/v1beta1 KnativeServing",
      "serving.kserve.io/v1beta1 InferenceService",
    ]);
    expect(simulatedKinds()).toEqual(
      expect.arrayContaining(["Node", "Pod", "Service", "Gateway", "KnativeServing"]),
    );
  });

  it("have unique names and leave nodes and pods to KWOK", () => {
    const { builtIn, deferred } = readStages();
    const texts = [builtIn, ...deferred.map(({ text }) => text)];
    const all = texts.flatMap((text) => parseAllDocuments(text).map(stageOf));
    const names = all.map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(names.length);
    expect(all.map(({ spec }) => spec.resourceRef.kind)).not.toContain("Pod");
  });

  it("that are none are refused", () => {
    expect(() => splitStages(["kind: Stage"])).toThrow("not a Stage");
    expect(() => splitStages(["a: [b"])).toThrow("not a Stage");
  });

  it("are handed to the keeper as files, one for each group", async () => {
    await writeKeeperPlan(folder, "https://127.0.0.1:1", [
      { apiGroup: "a.b/v1", kinds: ["C"], text: "x: 1\n" },
    ]);
    const plan = JSON.parse(await readFile(join(folder, "stages", "plan.json"), "utf8")) as unknown;
    const stagesFile = join(folder, "stages", "a.b-v1.yaml");
    expect(plan).toMatchObject({
      server: "https://127.0.0.1:1",
      sets: [{ apiGroup: "a.b/v1", stagesFile }],
    });
    expect(await readFile(stagesFile, "utf8")).toBe("x: 1\n");
  });
});

describe("kubeconfig", () => {
  it("carries its keys, so that its text is enough", () => {
    const keys = { ca: "CA", cert: "CERT", key: "KEY" };
    const config = parse(kubeconfigText("a", "https://127.0.0.1:3", keys)) as Record<
      string,
      unknown
    >;
    expect(config).toMatchObject({
      "current-context": "sandbox-a",
      clusters: [{ cluster: { "certificate-authority-data": "Q0E=" } }],
      users: [{ user: { "client-key-data": "S0VZ" } }],
    });
    expect(JSON.stringify(config)).not.toMatch(/"(certificate-authority|client-[a-z]+)":/);
  });
});

describe("nodes", () => {
  it("stand in zones of their own and are marked as simulated", () => {
    const zones = [1, 2, 3].map(
      (index) => nodeManifest(index).metadata.labels["topology.kubernetes.io/zone"],
    );
    expect(new Set(zones).size).toBe(3);
    expect(nodeManifest(1).metadata.annotations["kwok.x-k8s.io/node"]).toBe("fake");
  });
});

describe("ports", () => {
  it("are free, different, and outside the ranges of NodePorts and outgoing connections", async () => {
    const ports = Object.values(await chooseClusterPorts()) as number[];
    expect(new Set(ports).size).toBe(6);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000);
    expect(Math.max(...ports)).toBeLessThan(30_000);
  });

  it("that something listens on are not free", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await isFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isFree(port)).toBe(true);
  });
});

describe("processes", () => {
  it("live on in a session of their own, are known again, and end", async () => {
    const pidFile = join(folder, "pids", "sleeper.pid");
    const logFile = join(folder, "logs", "sleeper.log");
    const args = ["-c", "sleep 30; :", folder];
    const pid = await startDetached({ command: "/bin/sh", args, cwd: folder, logFile, pidFile });
    expect(await readProcess(pidFile, folder)).toBe(pid);
    expect(await endProcess(pid, "SIGKILL", 2_000)).toBe(true);
    expect(await readProcess(pidFile, folder)).toBeUndefined();
  });

  it("are found by their program's folder without a pid file, and others are not", async () => {
    await mkdir(join(folder, "bin"));
    await symlink("/bin/sleep", join(folder, "bin", "etcd"));
    const ours = spawn(join(folder, "bin", "etcd"), ["30"], { stdio: "ignore" });
    const reader = spawn("/bin/sh", ["-c", "sleep 30; :", join(folder, "bin", "etcd")]);
    expect(await findProcesses(join(folder, "bin"))).toEqual([ours.pid]);
    for (const child of [ours, reader]) child.kill("SIGKILL");
  });

  it("of somebody else are left alone when an id is used again", async () => {
    const other = spawn("/bin/sleep", ["30"], { stdio: "ignore" });
    const pidFile = join(folder, "etcd.pid");
    await writeFile(pidFile, String(other.pid));
    expect(await readProcess(pidFile, folder)).toBeUndefined();
    other.kill("SIGKILL");
  });

  it.each(["", "x", "-1", "0", "1"])("are not read from a pid file with %j", async (text) => {
    const pidFile = join(folder, "bad.pid");
    await writeFile(pidFile, text);
    expect(await readProcess(pidFile, "")).toBeUndefined();
  });
});

describe("a cluster folder", () => {
  it("without a whole record counts as none", async () => {
    expect(await readRecord(folder)).toBeUndefined();
    await writeFile(join(folder, "kwok.yaml"), "kind: KwokctlConfiguration\noptions: {}\n");
    expect(await readRecord(folder)).toBeUndefined();
    const statuses = await componentStatuses(folder);
    expect(statuses.filter(({ running }) => running)).toEqual([]);
  });

  it("gives the components that kwokctl recorded", async () => {
    const text =
      "kind: Stage\n---\nkind: KwokctlConfiguration\n" +
      "options: {kubeApiserverPort: 3}\ncomponents: [{name: etcd, binary: /bin/etcd}]\n";
    await writeFile(join(folder, "kwok.yaml"), text);
    expect(await readRecord(folder)).toEqual({
      apiServerPort: 3,
      components: [{ name: "etcd", binary: "/bin/etcd" }],
    });
  });
});

interface StageDocument {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly resourceRef: { readonly apiGroup: string; readonly kind: string } };
}

function stageOf(document: { toJS: () => unknown }): StageDocument {
  return document.toJS() as StageDocument;
}
