import { describe, expect, it } from "vitest";
import type { WorkloadKind } from "../../../components/readiness/part.ts";
import { untilReady } from "../../../components/readiness/until-ready.ts";
import { FakeClock, FakeCluster } from "../../support/fake-cluster.ts";

const ROOT = "/apis/apps/v1/namespaces/kserve";
const PODS = "/api/v1/namespaces/kserve/pods";
const EVENTS = "/api/v1/namespaces/kserve/events";
const REVISION = "deployment.kubernetes.io/revision";
const IMAGE = "harbor.test/kserve/controller:v1.401";

interface PodShape {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly status?: object;
  readonly deletionTimestamp?: string;
}

/** A cluster with one workload that is not available, and the given pods. */
class Ailing extends FakeCluster {
  readonly #kind: WorkloadKind;

  constructor(kind: WorkloadKind = "Deployment") {
    super();
    this.#kind = kind;
    this.workload(0);
  }

  workload(available: number, more: object = {}): void {
    const status = {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: available,
      desiredNumberScheduled: 1,
      updatedNumberScheduled: 1,
      numberAvailable: available,
      ...more,
    };
    this.objects.set(`${ROOT}/${this.#kind.toLowerCase()}s/manager`, {
      metadata: { name: "manager", generation: 1, uid: "w", annotations: { [REVISION]: "7" } },
      spec: { replicas: 1, selector: { matchLabels: { app: "manager" } } },
      status,
    });
  }

  pods(...pods: readonly PodShape[]): this {
    const items = pods.map(({ name = "manager-1", labels = {}, status, deletionTimestamp }) => ({
      metadata: {
        name,
        uid: name,
        namespace: "kserve",
        labels: { app: "manager", ...labels },
        ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      },
      status,
    }));
    this.objects.set(PODS, items);
    return this;
  }

  events(...events: readonly { reason: string; message?: string; of?: string }[]): this {
    const items = events.map(({ of = "manager-1", ...event }) => ({
      ...event,
      involvedObject: { uid: of },
    }));
    this.objects.set(EVENTS, items);
    return this;
  }

  part(): Parameters<typeof untilReady>[1] {
    const workloads = [{ kind: this.#kind, namespace: "kserve", name: "manager" }];
    const contents = { workloads, configurations: [] };
    return {
      name: "kserve",
      namespace: "kserve",
      contents: () => Promise.resolve(contents),
      hasWorkloads: false,
      conditions: [],
    };
  }
}

/** Status of a pod whose one container waits. */
function waiting(reason: string, message = "", more: object = {}): PodShape {
  const state = { waiting: { reason, message } };
  return { status: { containerStatuses: [{ name: "manager", image: IMAGE, state, ...more }] } };
}

interface Outcome {
  readonly report: string;
  readonly seconds: number;
}

/** How the wait ends; the report is empty where it ends well. */
async function outcome(
  cluster: Ailing,
  clock = new FakeClock(),
  lines: string[] = [],
): Promise<Outcome> {
  const probes = { probes: [], symptoms: [] };
  const tell = (line: string): void => void lines.push(line);
  const report = await untilReady(cluster, cluster.part(), { clock, probes, tell })
    .then(() => "")
    .catch((error: unknown) => (error as Error).message);
  return { report, seconds: clock.seconds };
}

/** The workload is available from then on. */
function mended(cluster: Ailing, seconds: number): FakeClock {
  return new FakeClock().at(seconds, () => {
    cluster.workload(1);
  });
}

describe("an image that cannot be pulled", () => {
  const PULLS = [
    ["pulling from host failed with status code: 401 Unauthorized", "refuses the login"],
    ["unexpected status from HEAD request: 403 Forbidden", "refuses the login"],
    ["pull access denied, repository does not exist or may require authorization", "login"],
    ["tls: failed to verify certificate: x509: certificate signed by unknown authority", "x509"],
    [`failed to resolve reference "${IMAGE}": ${IMAGE}: not found`, "has no such image"],
    ["dial tcp: lookup harbor.test on 10.0.0.2:53: no such host", "cannot resolve"],
    ["dial tcp 10.0.0.9:443: connect: connection refused", "cannot reach"],
    ["something new", "cannot be pulled"],
  ];

  it.each(PULLS)("ends after 45 s, and tells apart: %s", async (message, words) => {
    const cluster = new Ailing().pods(waiting("ErrImagePull", message));
    const { report, seconds } = await outcome(cluster);
    expect(report).toMatch(
      /^\[readiness-image-not-pulled\] pod kserve\/manager-1, container manager, image harbor\.test/,
    );
    expect(report).toContain(words);
    expect(report).toContain("kubectl describe pod manager-1 --namespace kserve");
    expect(seconds).toBeGreaterThanOrEqual(45);
    expect(seconds).toBeLessThan(50);
  });

  it("reads nothing out of the image's own name", async () => {
    const image = "harbor.test/model:404";
    const message = `failed to resolve reference "${image}": connection refused`;
    const cluster = new Ailing().pods(waiting("ErrImagePull", message, { image }));
    expect((await outcome(cluster)).report).toContain("cannot reach the registry");
  });

  it("counts trying and backing off as one, and finds the reason in the events", async () => {
    const cluster = new Ailing().pods(waiting("ErrImagePull", "x"));
    const message = `Failed to pull image "${IMAGE}": 401 Unauthorized`;
    cluster.events({ reason: "Failed", message }, { reason: "Failed", message: "Error" });
    const backOff = `Back-off pulling image "${IMAGE}"`;
    const clock = new FakeClock()
      .at(10, () => cluster.pods(waiting("ImagePullBackOff", backOff)))
      .at(20, () => cluster.pods(waiting("ErrImagePull", "x")))
      .at(30, () => cluster.pods(waiting("ImagePullBackOff", backOff)));
    const { report, seconds } = await outcome(cluster, clock);
    expect(report).toContain("refuses the login (401 or 403): Failed to pull image");
    expect(seconds).toBeLessThan(50);
  });

  it("goes on where the image comes after 40 s", async () => {
    const cluster = new Ailing().pods(waiting("ImagePullBackOff"));
    expect(await outcome(cluster, mended(cluster, 40))).toEqual({ report: "", seconds: 40 });
  });

  it("goes on while an image that failed before is not tried again, and says how to have it tried", async () => {
    const cluster = new Ailing().pods(waiting("ImagePullBackOff", "401 Unauthorized"));
    const lines: string[] = [];
    const told = await outcome(cluster, mended(cluster, 160), lines);
    expect(told).toEqual({ report: "", seconds: 160 });
    expect(lines[0]).toContain("at once after kubectl delete pod manager-1 --namespace kserve");
  });

  it("ends when it was tried again and failed again", async () => {
    const cluster = new Ailing().pods(waiting("ErrImagePull", "401 Unauthorized"));
    const clock = new FakeClock()
      .at(5, () => cluster.pods(waiting("ImagePullBackOff", "401 Unauthorized")))
      .at(80, () => cluster.pods(waiting("ErrImagePull", "manifest unknown")));
    const { report, seconds } = await outcome(cluster, clock);
    expect(report).toContain("has no such image");
    expect(seconds).toBeGreaterThanOrEqual(80);
    expect(seconds).toBeLessThan(85);
  });

  it("ends with an image that was tried again meanwhile and pauses", async () => {
    const cluster = new Ailing().pods(waiting("ImagePullBackOff", "401 Unauthorized"));
    const clock = new FakeClock()
      .at(10, () => cluster.pods(waiting("ErrImagePull", "401 Unauthorized")))
      .at(20, () => cluster.pods(waiting("ImagePullBackOff", "401 Unauthorized")));
    const { report, seconds } = await outcome(cluster, clock);
    expect(report).toContain("refuses the login");
    expect(seconds).toBeLessThan(50);
  });

  it("begins anew with another pod", async () => {
    const cluster = new Ailing().pods(waiting("ImagePullBackOff"));
    const clock = mended(cluster, 70).at(35, () =>
      cluster.pods({ ...waiting("ImagePullBackOff"), name: "manager-2" }),
    );
    expect((await outcome(cluster, clock)).report).toBe("");
  });

  it("ends at once on a name that is none", async () => {
    const { seconds, report } = await outcome(new Ailing().pods(waiting("InvalidImageName")));
    expect(report).toContain("readiness-image-not-pulled");
    expect(seconds).toBe(0);
  });

  it("names the injector where the image is the one that it fills in", async () => {
    const pod = waiting("ErrImagePull", "not found", { image: "docker.io/library/auto:latest" });
    const { report } = await outcome(new Ailing().pods(pod));
    expect(report).toMatch(/readiness-image-not-injected[^]*kubectl delete pod manager-1/);
  });

  it("looks at containers that run before the others, too", async () => {
    const [container] = (
      waiting("ErrImagePull", "401 Unauthorized").status as { containerStatuses: object[] }
    ).containerStatuses;
    const cluster = new Ailing().pods({ status: { initContainerStatuses: [container] } });
    expect((await outcome(cluster)).report).toContain("refuses the login");
  });
});

describe("a pod of another template", () => {
  const old = { ...waiting("ErrImagePull"), name: "old", labels: { "pod-template-hash": "a" } };
  const set = (revision: string, hash: string): object => ({
    metadata: {
      labels: { app: "manager", "pod-template-hash": hash },
      annotations: { [REVISION]: revision },
    },
  });

  it("says nothing about the present one", async () => {
    const cluster = new Ailing().pods(old);
    cluster.objects.set(`${ROOT}/replicasets`, [set("6", "a"), set("7", "b")]);
    expect((await outcome(cluster, mended(cluster, 100))).report).toBe("");
  });

  it("is a present one where its revision is", async () => {
    const cluster = new Ailing().pods(old);
    cluster.objects.set(`${ROOT}/replicasets`, [set("7", "a"), set("6", "b")]);
    expect((await outcome(cluster)).report).toContain("pod kserve/old");
  });

  it("does not count while it is being deleted", async () => {
    const cluster = new Ailing().pods({ ...old, deletionTimestamp: "now" });
    expect((await outcome(cluster, mended(cluster, 100))).report).toBe("");
  });
});

describe("a container that does not stay up", () => {
  const terminated = { exitCode: 1, reason: "Error" };
  const crashing = (restartCount: number): PodShape =>
    waiting("CrashLoopBackOff", "back-off 40s", { restartCount, lastState: { terminated } });

  /** It ends once more while it is looked at. */
  const once = (cluster: Ailing, restartCount: number): FakeClock =>
    new FakeClock().at(30, () => cluster.pods(crashing(restartCount)));

  it("ends with exit code and last lines", async () => {
    const cluster = new Ailing().pods(crashing(2));
    cluster.logs.set(`${PODS}/manager-1/log`, "starting\nno matches for kind VirtualService\n");
    const { report, seconds } = await outcome(cluster, once(cluster, 3));
    expect(report).toMatch(/readiness-container-crashes[^]*with exit code 1[^]*3 times; Error/);
    expect(report).toContain("starting | no matches for kind VirtualService");
    expect(cluster.asked).toContain(
      `${PODS}/manager-1/log?container=manager&previous=true&tailLines=5`,
    );
    expect(seconds).toBeLessThan(33);
  });

  it("does without a log that cannot be had", async () => {
    const cluster = new Ailing().pods(crashing(3));
    const { report } = await outcome(cluster, once(cluster, 4));
    expect(report).toContain("started again 4 times; Error\n");
  });

  it("goes on with two restarts", async () => {
    const cluster = new Ailing().pods(crashing(1));
    const clock = mended(cluster, 60).at(30, () => cluster.pods(crashing(2)));
    expect((await outcome(cluster, clock)).report).toBe("");
  });

  it("goes on where it ended before, however often, and comes up when it is started again", async () => {
    const cluster = new Ailing().pods(crashing(7));
    const lines: string[] = [];
    const told = await outcome(cluster, mended(cluster, 200), lines);
    expect(told).toEqual({ report: "", seconds: 200 });
    expect(lines[0]).toContain("at once after kubectl delete pod manager-1 --namespace kserve");
  });

  it("goes on with a container that runs again, however often it was started", async () => {
    const running = { name: "manager", restartCount: 5, state: { running: {} } };
    const cluster = new Ailing().pods({ status: { containerStatuses: [running] } });
    expect((await outcome(cluster, mended(cluster, 60))).report).toBe("");
  });
});

describe("a container that cannot be made", () => {
  it("ends after 45 s with what is missing", async () => {
    const pod = waiting("CreateContainerConfigError", 'secret "x" not found');
    const { report, seconds } = await outcome(new Ailing().pods(pod));
    expect(report).toMatch(/readiness-container-config[^]*secret "x" not found/);
    expect(seconds).toBeLessThan(50);
  });

  it("goes on where it comes after 30 s", async () => {
    const cluster = new Ailing().pods(waiting("CreateContainerConfigError"));
    expect((await outcome(cluster, mended(cluster, 30))).report).toBe("");
  });
});

describe("a volume of a Secret or ConfigMap that is missing", () => {
  const message =
    'MountVolume.SetUp failed for volume "cert" : secret "kserve-webhook-server-cert" not found';
  const secret = "/api/v1/namespaces/kserve/secrets/kserve-webhook-server-cert";
  const starting = (): Ailing =>
    new Ailing().pods(waiting("ContainerCreating")).events({ reason: "FailedMount", message });

  it("ends after 60 s", async () => {
    const { report, seconds } = await outcome(starting());
    expect(report).toMatch(
      /readiness-volume-missing\] pod kserve\/manager-1[^]*secret kserve-webhook-server-cert/,
    );
    expect(report).toContain("kubectl get certificates,certificaterequests --namespace kserve");
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(65);
  });

  it("goes on where it is there by now, whatever the event says: the pull may be long", async () => {
    const cluster = starting();
    const clock = mended(cluster, 200).at(50, () =>
      cluster.objects.set(secret, { kind: "Secret" }),
    );
    expect((await outcome(cluster, clock)).report).toBe("");
  });

  it("goes on where nobody may look at Secrets", async () => {
    const cluster = starting();
    const get = cluster.get.bind(cluster);
    cluster.get = (path) =>
      path === secret ? Promise.resolve({ status: 403, body: {} }) : get(path);
    expect((await outcome(cluster, mended(cluster, 100))).report).toBe("");
  });

  it("goes on with mounts that fail for another reason", async () => {
    const cluster = new Ailing().pods(waiting("ContainerCreating"));
    cluster.events({ reason: "FailedMount", message: "timed out waiting for the condition" });
    expect((await outcome(cluster, mended(cluster, 100))).report).toBe("");
  });
});

describe("a pod that no node takes", () => {
  const reason = "Unschedulable";
  const scheduled = { type: "PodScheduled", status: "False", reason, message: "0/1 nodes" };
  const pending: PodShape = { status: { phase: "Pending", conditions: [scheduled] } };

  it("ends after 60 s with the scheduler's words", async () => {
    const { report, seconds } = await outcome(new Ailing().pods(pending));
    expect(report).toMatch(/readiness-pod-unschedulable[^]*no node takes it: 0\/1 nodes/);
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(65);
  });

  it.each(["TriggeredScaleUp", "Nominated"])("goes on while a node comes (%s)", async (event) => {
    const cluster = new Ailing().pods(pending).events({ reason: event });
    expect((await outcome(cluster, mended(cluster, 200))).report).toBe("");
  });

  it("goes on where a node takes it after 50 s", async () => {
    const cluster = new Ailing().pods(pending);
    expect((await outcome(cluster, mended(cluster, 50))).report).toBe("");
  });
});

describe("pods that are not let in", () => {
  const message = 'pods "manager-x" is forbidden: exceeded quota: small';
  const failure = { type: "ReplicaFailure", status: "True", message };

  it("ends a Deployment after 45 s", async () => {
    const cluster = new Ailing();
    cluster.workload(0, { conditions: [failure] });
    const { report, seconds } = await outcome(cluster);
    expect(report).toMatch(
      /readiness-pods-refused\] deployment\/manager in namespace kserve[^]*exceeded quota: small/,
    );
    expect(seconds).toBeGreaterThanOrEqual(45);
    expect(seconds).toBeLessThan(50);
  });

  it("goes on where the failure is past", async () => {
    const cluster = new Ailing();
    cluster.workload(0, { conditions: [{ ...failure, status: "False" }] });
    expect((await outcome(cluster, mended(cluster, 100))).report).toBe("");
  });

  it.each(["DaemonSet", "StatefulSet"] as const)("ends a %s by its events", async (kind) => {
    const cluster = new Ailing(kind).events({ reason: "FailedCreate", message, of: "w" });
    expect((await outcome(cluster)).report).toContain("exceeded quota: small");
  });

  it("goes on with a DaemonSet that has pods by now", async () => {
    const cluster = new Ailing("DaemonSet").pods(waiting("ContainerCreating"));
    cluster.events({ reason: "FailedCreate", message, of: "w" });
    expect((await outcome(cluster, mended(cluster, 100))).report).toBe("");
  });
});
