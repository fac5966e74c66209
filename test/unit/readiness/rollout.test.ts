import { describe, expect, it } from "vitest";
import type { Answer } from "../../../components/cluster-api.ts";
import { labelledContents, RenderedContents } from "../../../components/readiness/contents.ts";
import type { Part, WorkloadKind } from "../../../components/readiness/part.ts";
import { untilReady } from "../../../components/readiness/until-ready.ts";
import type { RenderedObject } from "../../../components/transforms.ts";
import { FakeClock, FakeCluster } from "../../support/fake-cluster.ts";

const PATH = "/apis/apps/v1/namespaces/kserve/deployments/manager";
const NO_PROBES = { probes: [], symptoms: [] };

/** A Deployment of two replicas that is rolled out, but for what is given. */
function deployment(status: object = {}, generation = 3): object {
  const done = { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  return {
    metadata: { name: "manager", generation },
    spec: { replicas: 2, selector: { matchLabels: { app: "manager" } } },
    status: { ...done, ...status },
  };
}

function daemonSet(status: object): object {
  const done = { observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 2 };
  return {
    metadata: { name: "manager", generation: 1 },
    spec: {},
    status: { ...done, numberAvailable: 2, ...status },
  };
}

function partOf(kind: WorkloadKind = "Deployment"): Part {
  const workloads = [{ kind, namespace: "kserve", name: "manager" }];
  const contents = { workloads, configurations: [] };
  return {
    name: "kserve 1.0",
    namespace: "kserve",
    contents: () => Promise.resolve(contents),
    hasWorkloads: true,
    conditions: [],
  };
}

interface Run {
  readonly seconds: number;
  readonly lines: readonly string[];
}

async function waitFor(
  cluster: FakeCluster,
  clock: FakeClock,
  part: Part = partOf(),
): Promise<Run> {
  const lines: string[] = [];
  await untilReady(cluster, part, {
    clock,
    probes: NO_PROBES,
    tell: (line) => lines.push(line),
  });
  return { seconds: clock.seconds, lines };
}

describe("untilReady on workloads", () => {
  it("is done at once where all of it runs, and asks for nothing but the workload", async () => {
    const cluster = new FakeCluster();
    cluster.objects.set(PATH, deployment());
    expect(await waitFor(cluster, new FakeClock())).toEqual({ seconds: 0, lines: [] });
    expect(cluster.asked).toEqual([PATH]);
  });

  it.each([
    ["is not there", undefined],
    ["is not seen by its controller", deployment({}, 4)],
    ["has said nothing yet", { ...deployment(), status: undefined }],
    ["still runs a pod of before", deployment({ replicas: 3 })],
    ["has one replica of two updated", deployment({ updatedReplicas: 1 })],
    ["has one replica of two available", deployment({ availableReplicas: 1 })],
  ])("waits while it %s", async (_name, object) => {
    const cluster = new FakeCluster();
    if (object !== undefined) cluster.objects.set(PATH, object);
    const clock = new FakeClock().at(3, () => cluster.objects.set(PATH, deployment()));
    expect((await waitFor(cluster, clock)).seconds).toBe(3);
  });

  it("knows DaemonSets, those without a node for them included", async () => {
    const path = PATH.replace("deployments", "daemonsets");
    const cluster = new FakeCluster();
    cluster.objects.set(path, daemonSet({ numberAvailable: 1 }));
    const none = { desiredNumberScheduled: 0, updatedNumberScheduled: 0, numberAvailable: 0 };
    const clock = new FakeClock().at(2, () => cluster.objects.set(path, daemonSet(none)));
    expect((await waitFor(cluster, clock, partOf("DaemonSet"))).seconds).toBe(2);
  });

  it("waits where there must be a workload and none is found", async () => {
    const cluster = new FakeCluster();
    cluster.objects.set(PATH, deployment());
    let workloads: Awaited<ReturnType<Part["contents"]>>["workloads"] = [];
    const clock = new FakeClock().at(2, () => {
      workloads = [{ kind: "Deployment", namespace: "kserve", name: "manager" }];
    });
    const contents: Part["contents"] = () => Promise.resolve({ workloads, configurations: [] });
    expect((await waitFor(cluster, clock, { ...partOf(), contents })).seconds).toBe(2);
  });

  it("finds Deployments and webhook configurations by a label", async () => {
    const label = "app.kubernetes.io/instance=cert-manager";
    const labels = { "app.kubernetes.io/instance": "cert-manager" };
    const cluster = new FakeCluster();
    const named = (name: string, more: object = {}): object => ({ metadata: { name, ...more } });
    cluster.objects.set("/apis/apps/v1/namespaces/c/deployments", [
      named("webhook", { labels }),
      named("other"),
    ]);
    const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    cluster.objects.set(configurations, [named("x", { labels }), named("others")]);
    expect(await labelledContents(cluster, "c", label)).toEqual({
      workloads: [{ kind: "Deployment", namespace: "c", name: "webhook" }],
      configurations: [{ kind: "ValidatingWebhookConfiguration", name: "x" }],
    });
  });

  it("notes workloads and webhook configurations of a chart as they pass by", () => {
    const rendered = new RenderedContents("release");
    const object = (kind: string, namespace?: string): RenderedObject => ({
      kind,
      metadata: { name: "a", ...(namespace === undefined ? {} : { namespace }) },
    });
    for (const kind of ["Deployment", "ConfigMap", "MutatingWebhookConfiguration", "Deployment"])
      expect(rendered.note(object(kind), {})).toBeUndefined();
    rendered.note(object("DaemonSet", "jobs"), {});
    expect(rendered.contents()).toEqual({
      workloads: [
        { kind: "Deployment", namespace: "release", name: "a" },
        { kind: "DaemonSet", namespace: "jobs", name: "a" },
      ],
      configurations: [{ kind: "MutatingWebhookConfiguration", name: "a" }],
    });
  });

  it("says every ten seconds what it waits for", async () => {
    const cluster = new FakeCluster();
    cluster.objects.set(PATH, deployment({ availableReplicas: 0 }));
    const clock = new FakeClock().at(25, () => cluster.objects.set(PATH, deployment()));
    const line = "kserve 1.0: waiting for deployment/manager (2 of 2 updated, 0 available)";
    expect((await waitFor(cluster, clock)).lines).toEqual([line, line]);
  });

  it("ends after 300 s with the state of each pod", async () => {
    const cluster = new FakeCluster();
    cluster.objects.set(PATH, deployment({ availableReplicas: 0 }));
    const pod = (name: string, status: object): object => ({
      metadata: { name, namespace: "kserve", labels: { app: "manager" } },
      status,
    });
    cluster.objects.set("/api/v1/namespaces/kserve/pods", [
      pod("manager-1", { phase: "Running", containerStatuses: [{ name: "c", state: {} }] }),
      pod("manager-2", { phase: "Pending" }),
    ]);
    const clock = new FakeClock();
    await expect(waitFor(cluster, clock)).rejects.toThrow(
      /^\[readiness-not-in-time\] kserve 1\.0\n.*after 300 s still missing: deployment\/manager \(2 of 2 updated, 0 available\); manager-1: not ready; manager-2: Pending/,
    );
    expect(clock.seconds).toBeCloseTo(300, 0);
  });

  it.each([401, 403])("ends at once where it may not look (%i)", async (status) => {
    const cluster = new FakeCluster();
    cluster.broken = { status, body: { message: 'deployments.apps is forbidden: User "x"' } };
    const clock = new FakeClock();
    await expect(waitFor(cluster, clock)).rejects.toThrow(
      /readiness-not-seen[^]*deployments\.apps is forbidden/,
    );
    expect(clock.seconds).toBe(0);
  });

  it("goes on over an API server that is away for a while", async () => {
    const cluster = new FakeCluster();
    cluster.objects.set(PATH, deployment());
    const away: Answer = { status: 503, body: { message: "starting" } };
    cluster.broken = away;
    const clock = new FakeClock().at(20, () => (cluster.broken = undefined));
    const { seconds, lines } = await waitFor(cluster, clock);
    expect(seconds).toBe(20);
    expect(lines).toEqual(["kserve 1.0: waiting for the API server (503 starting)"]);
  });
});

describe("untilReady on conditions", () => {
  const path = "/apis/operator.knative.dev/v1beta1/namespaces/k/knativeservings/serving";
  const part: Part = {
    ...partOf(),
    contents: () => Promise.resolve({ workloads: [], configurations: [] }),
    hasWorkloads: false,
    conditions: [{ kind: "KnativeServing", path, condition: "Ready", version: "1.20.2" }],
  };
  const ready = { type: "Ready", status: "True" };
  const serving = (status: object): object => ({ metadata: { generation: 2 }, status });

  it.each([
    ["is not there yet", undefined],
    ["has not said it", serving({})],
    ["denies it", serving({ conditions: [{ ...ready, status: "False" }] })],
    ["is ready at another version", serving({ conditions: [ready], version: "1.20.1" })],
    [
      "was ready before its latest change",
      serving({ conditions: [ready], version: "1.20.2", observedGeneration: 1 }),
    ],
    [
      "was ready before its latest change, as the condition says",
      serving({ conditions: [{ ...ready, observedGeneration: 1 }], version: "1.20.2" }),
    ],
  ])("waits while the object %s", async (_name, object) => {
    const cluster = new FakeCluster();
    if (object !== undefined) cluster.objects.set(path, object);
    const done = serving({ conditions: [ready], version: "1.20.2", observedGeneration: 2 });
    const clock = new FakeClock().at(2, () => cluster.objects.set(path, done));
    expect((await waitFor(cluster, clock, part)).seconds).toBe(2);
  });

  it("ends with what the condition says", async () => {
    const cluster = new FakeCluster();
    const conditions = [{ ...ready, status: "False", reason: "NotReady", message: "no CRDs" }];
    cluster.objects.set(path, serving({ conditions }));
    await expect(waitFor(cluster, new FakeClock(), part)).rejects.toThrow(
      "KnativeServing serving (Ready: False, NotReady, no CRDs)",
    );
  });
});
