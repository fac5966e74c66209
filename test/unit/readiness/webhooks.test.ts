import { describe, expect, it } from "vitest";
import { readAnswer } from "../../../components/readiness/answers.ts";
import type { Part } from "../../../components/readiness/part.ts";
import { untilReady } from "../../../components/readiness/until-ready.ts";
import { loadProbes } from "../../../versions/probes.ts";
import { FakeClock, FakeCluster } from "../../support/fake-cluster.ts";

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const NAME = "clusterservingruntime.kserve-webhook-server.validator";
const RUNTIMES = "/apis/serving.kserve.io/v1alpha1/clusterservingruntimes";
const REFUSED = `Internal error occurred: failed calling webhook "${NAME}": failed to call webhook: Post "https://x": dial tcp 10.0.0.1:443: connect: connection refused`;
const RULE = {
  operations: ["CREATE", "UPDATE"],
  apiGroups: ["serving.kserve.io"],
  apiVersions: ["v1alpha1"],
  resources: ["clusterservingruntimes"],
};
const RUNTIME_RULE = { ...RULE, resources: ["servingruntimes"] };
const PODS = { ...RULE, apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };

const CA = Buffer.from("-----BEGIN CERTIFICATE-----\n").toString("base64");
/** What a chart may have in its place. */
const PLACEHOLDER = "Cg==";

interface Shape {
  readonly name?: string;
  readonly [key: string]: unknown;
}

/** A cluster with one webhook configuration. */
function clusterWith(...webhooks: readonly Shape[]): FakeCluster {
  const cluster = new FakeCluster();
  configure(cluster, ...webhooks);
  cluster.objects.set("/api/v1/namespaces/kserve", { metadata: { labels: {} } });
  cluster.objects.set("/api/v1/namespaces/default", { metadata: { labels: {} } });
  return cluster;
}

function configure(cluster: FakeCluster, ...webhooks: readonly Shape[]): void {
  cluster.objects.set(`${CONFIGURATIONS}/x`, {
    webhooks: webhooks.map((webhook) => ({
      name: NAME,
      failurePolicy: "Fail",
      clientConfig: { caBundle: CA },
      rules: [RULE],
      ...webhook,
    })),
  });
}

const configurations = [{ kind: "ValidatingWebhookConfiguration", name: "x" }] as const;
const PART: Part = {
  name: "kserve",
  namespace: "kserve",
  contents: () => Promise.resolve({ workloads: [], configurations }),
  hasWorkloads: false,
  conditions: [],
};

async function waitFor(
  cluster: FakeCluster,
  clock = new FakeClock(),
  part = PART,
): Promise<{ seconds: number; lines: string[] }> {
  const lines: string[] = [];
  await untilReady(cluster, part, { clock, tell: (line) => lines.push(line) });
  return { seconds: clock.seconds, lines };
}

describe("untilReady on webhooks", () => {
  it("asks with an object that the webhook judges, and hears two answers a second apart", async () => {
    const cluster = clusterWith({});
    expect(await waitFor(cluster)).toEqual({ seconds: 1, lines: [] });
    expect(new Set(cluster.tried.map(({ path }) => path))).toEqual(new Set([RUNTIMES]));
    expect(cluster.tried[0]?.object).toMatchObject({ kind: "ClusterServingRuntime" });
  });

  it("waits while nothing listens", async () => {
    const cluster = clusterWith({});
    cluster.answer = () => ({ status: 500, body: { message: REFUSED } });
    const clock = new FakeClock().at(30, () => {
      cluster.answer = () => ({ status: 201, body: {} });
    });
    const { seconds, lines } = await waitFor(cluster, clock);
    expect(seconds).toBe(31);
    expect(lines[0]).toContain("connection refused");
  });

  it("begins to count anew after a bad answer", async () => {
    const cluster = clusterWith({});
    const answers = [201, 500, 201, 201, 201, 201, 201, 201];
    cluster.answer = () => {
      const status = answers.shift() ?? 201;
      return { status, body: status === 500 ? { message: REFUSED } : {} };
    };
    expect((await waitFor(cluster)).seconds).toBe(1.5);
  });

  it("waits for a configuration that is not there yet", async () => {
    const cluster = clusterWith({});
    const found = cluster.objects.get(`${CONFIGURATIONS}/x`);
    cluster.objects.delete(`${CONFIGURATIONS}/x`);
    const clock = new FakeClock().at(5, () => cluster.objects.set(`${CONFIGURATIONS}/x`, found));
    expect((await waitFor(cluster, clock)).seconds).toBe(6);
  });

  it("waits for rules that a webhook writes itself", async () => {
    const cluster = clusterWith({ rules: undefined, clientConfig: {} });
    const clock = new FakeClock().at(5, () => {
      configure(cluster, {});
    });
    const { seconds } = await waitFor(cluster, clock);
    expect(seconds).toBe(6);
    expect(cluster.tried.length).toBeGreaterThan(0);
  });

  it("ends after 300 s with what the API server says", async () => {
    const cluster = clusterWith({});
    cluster.answer = () => ({ status: 500, body: { message: REFUSED } });
    await expect(waitFor(cluster)).rejects.toThrow(/readiness-not-in-time[^]*connection refused/);
  });

  it("does not ask webhooks that hold nobody up", async () => {
    const cluster = clusterWith(
      { failurePolicy: "Ignore" },
      { rules: [] },
      { failurePolicy: "Ignore", rules: [], clientConfig: {} },
      { name: "new.webhook", rules: [], clientConfig: {} },
    );
    expect(await waitFor(cluster)).toEqual({ seconds: 0, lines: [] });
    expect(cluster.tried).toEqual([]);
  });

  it.each([
    ["versions/probes.json has no object for it", { name: "new.webhook" }],
    ["it judges none of the objects", { rules: [{ ...RULE, operations: ["DELETE"] }] }],
    ["it judges none of the objects", { objectSelector: { matchLabels: { a: "b" } } }],
    [
      "it judges nothing in the namespaces kserve and default",
      {
        name: "object.sidecar-injector.istio.io",
        rules: [PODS],
        namespaceSelector: { matchExpressions: [{ key: "a", operator: "Exists" }] },
      },
    ],
  ])("says which it could not ask: %s", async (words, webhook) => {
    const { lines } = await waitFor(clusterWith(webhook));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(words);
  });

  it.each([undefined, PLACEHOLDER])(
    "asks no further where the API server calls none: an object passes one with the CA %s",
    async (caBundle) => {
      const conversion = { status: 500, body: { message: "conversion webhook for x failed: no" } };
      const cluster = clusterWith(
        { clientConfig: { caBundle } },
        { name: "servingruntime.kserve-webhook-server.validator", rules: [RUNTIME_RULE] },
      );
      cluster.answer = (path) => (path === RUNTIMES ? { status: 201, body: {} } : conversion);
      const { seconds, lines } = await waitFor(cluster);
      expect(seconds).toBe(1);
      expect(lines).toEqual(["kserve: not asked, the API server calls no webhooks"]);
    },
  );

  it("does not take an API server that does not know the configuration yet for such a one", async () => {
    const cluster = clusterWith({ clientConfig: {} });
    const refused = { status: 500, body: { message: REFUSED } };
    const clock = new FakeClock()
      .at(0.5, () => (cluster.answer = () => refused))
      .at(8, () => configure(cluster, {}))
      .at(9, () => (cluster.answer = () => ({ status: 201, body: {} })));
    expect((await waitFor(cluster, clock)).seconds).toBe(10);
  });

  it("does not take a webhook that was signed in between for one that is not called", async () => {
    const cluster = clusterWith({ clientConfig: {} });
    cluster.answer = () => {
      configure(cluster, {});
      return { status: 201, body: {} };
    };
    expect(await waitFor(cluster)).toEqual({ seconds: 1, lines: [] });
  });

  it("goes to another namespace where the part's own is left out", async () => {
    const cluster = clusterWith({
      name: "object.sidecar-injector.istio.io",
      rules: [PODS],
      namespaceSelector: { matchExpressions: [{ key: "off", operator: "DoesNotExist" }] },
    });
    cluster.objects.set("/api/v1/namespaces/kserve", { metadata: { labels: { off: "true" } } });
    await waitFor(cluster);
    expect(cluster.tried[0]?.path).toBe("/api/v1/namespaces/default/pods");
  });

  it("goes on after ten seconds over what the question does not get through, and says so", async () => {
    const cluster = clusterWith({});
    const message = 'admission webhook "policy.of.others" denied the request: no';
    cluster.answer = () => ({ status: 403, body: { message } });
    const { seconds, lines } = await waitFor(cluster);
    expect(seconds).toBe(10);
    expect(lines.at(-1)).toContain(`not heard, ${NAME}: 403 ${message}`);
  });

  it("ends at once where the log of a running pod says that nobody will ever sign", async () => {
    const cluster = clusterWith({ clientConfig: {} });
    cluster.answer = () => ({ status: 500, body: { message: REFUSED } });
    const status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    cluster.objects.set("/apis/apps/v1/namespaces/istio-system/deployments/istiod", {
      metadata: { name: "istiod", generation: 1 },
      spec: { replicas: 1, selector: { matchLabels: { app: "istiod" } } },
      status,
    });
    cluster.objects.set("/api/v1/namespaces/istio-system/pods", [
      { metadata: { name: "istiod-1", namespace: "istio-system", labels: { app: "istiod" } } },
    ]);
    const workloads = [{ kind: "Deployment", namespace: "istio-system", name: "istiod" }] as const;
    const part: Part = { ...PART, contents: () => Promise.resolve({ workloads, configurations }) };
    const log = "/api/v1/namespaces/istio-system/pods/istiod-1/log";
    const clock = new FakeClock().at(20, () => {
      cluster.logs.set(log, "info\tSkipping sidecar injector, template not found\n");
    });
    await expect(waitFor(cluster, clock, part)).rejects.toThrow(
      /readiness-process-gave-up[^]*kubectl rollout restart deployment\/istiod --namespace istio-system/,
    );
    expect(clock.seconds).toBeLessThan(25);
  });
});

describe("readAnswer", () => {
  const denied = (name: string): string => `admission webhook "${name}" denied the request: no`;
  it.each([
    ["created", 201, "", "answered"],
    ["of a name that exists", 409, "already exists", "answered"],
    ["denied by the webhook", 403, denied(NAME), "answered"],
    ["found invalid by the webhook", 422, denied(NAME), "answered"],
    ["denied by another webhook", 403, denied("others"), "not-asked"],
    ["refused connection", 500, REFUSED, "not-yet"],
    ["unsigned", 500, `failed calling webhook "${NAME}": x509: unknown authority`, "not-yet"],
    ["no endpoints", 500, `failed calling webhook "${NAME}": no endpoints available`, "not-yet"],
    [
      "a path that the server does not know",
      500,
      `failed calling webhook "${NAME}": failed to call webhook: the server could not find the requested resource`,
      "not-asked",
    ],
    ["no conversion yet", 500, "conversion webhook for x, Kind=Y failed: refused", "not-yet"],
    ["no namespace or kind yet", 404, "not found", "not-yet"],
    [
      "no account yet",
      403,
      'error looking up service account a/default: serviceaccount "default" not found',
      "not-yet",
    ],
    ["no right", 403, "pods is forbidden", "not-asked"],
    ["broken schema", 422, "spec.x: Required value", "not-asked"],
    ["dry runs refused", 400, "webhook does not support dry run", "not-asked"],
    ["an API server that is busy", 429, "too many requests", "not-yet"],
    ["an API server that starts", 503, "starting", "not-yet"],
  ])("reads an object %s", (_name, status, message, kind) => {
    expect(readAnswer({ status, body: { message } }, [NAME]).kind).toBe(kind);
  });
});

describe("versions/probes.json", () => {
  it("names each object once, harmlessly", () => {
    const { probes } = loadProbes();
    const names = new Set(probes.map(({ object }) => object.metadata.name));
    expect([...names]).toEqual(["kserve-platform-probe"]);
    expect(new Set(probes.map((probe) => JSON.stringify(probe.object))).size).toBe(probes.length);
  });
});
