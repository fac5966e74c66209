/** A real node in namespaces of its own: what runs on it, what happens when parts of it die, and what it leaves. */
import { spawn } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AdmissionregistrationV1Api,
  AppsV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
} from "@kubernetes/client-node";
import type { KubernetesObject, V1Pod } from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import {
  execInNode,
  forwardPort,
  killRealPart,
  realClusterStatus,
  shareRegistry,
  startRealCluster,
  stopRealCluster,
} from "../../sandbox/real/index.ts";
import { realLayout } from "../../sandbox/real/layout.ts";
import { newAuthority } from "../../sandbox/registry/authority.ts";
import { REGISTRY_USER } from "../../sandbox/registry/config.ts";
import { prepareRegistry, startRegistry, stopRegistry } from "../../sandbox/registry/server.ts";
import type { SandboxRegistry } from "../../sandbox/registry/server.ts";
import { acquireTools } from "../../sandbox/toolchain/index.ts";
import {
  busybox,
  nodePrograms,
  noRealNode,
  processesOf,
  traces,
  writeArchive,
} from "../support/real-node.ts";
import type { Traces } from "../support/real-node.ts";

const NAME = "e2e-real";
const OTHER = "e2e-real-other";
const SPACE = "proof";
const HELLO = "docker.io/local/hello:1";
const skipped = await noRealNode();
let work: string;
let before: Traces;
let registry: SandboxRegistry;
let port: number;
const images = { pause: "", coredns: "" };

let binaries: Awaited<ReturnType<typeof nodePrograms>>;

const options = (name: string) => ({ name, binaries, images });

beforeEach((context) => {
  if (skipped !== undefined) context.skip(skipped);
});
beforeAll(async () => {
  if (skipped !== undefined) return;
  for (const name of [NAME, OTHER]) await stopRealCluster({ name });
  work = await mkdtemp(join(tmpdir(), "real-node-"));
  const program = await busybox(join(work, "busybox"));
  binaries = await nodePrograms();
  Object.assign(images, { pause: join(work, "pause.tar"), coredns: join(work, "coredns.tar") });
  await writeArchive(images.pause, {
    name: "docker.io/local/pause:1",
    files: { "bin/busybox": program },
    entrypoint: ["/bin/busybox", "sleep", "2147483647"],
  });
  await writeArchive(images.coredns, {
    name: "docker.io/local/coredns:1",
    files: { coredns: binaries.coredns },
    entrypoint: ["/coredns"],
  });
  await writeFile(join(work, "index.html"), "hello from a real pod\n");
  await writeArchive(join(work, "hello.tar"), {
    name: HELLO,
    files: { "bin/busybox": program, "www/index.html": join(work, "index.html") },
    entrypoint: ["/bin/busybox", "httpd", "-f", "-vv", "-p", "8080", "-h", "/www"],
  });
  before = await traces();
});
afterAll(async () => {
  if (skipped !== undefined) return;
  for (const name of [NAME, OTHER]) await stopRealCluster({ name });
  await stopRegistry(NAME);
  await rm(work, { recursive: true, force: true });
});

function client() {
  const config = new KubeConfig();
  config.loadFromFile(realLayout(NAME).kubeconfigFile);
  return {
    config,
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    admission: config.makeApiClient(AdmissionregistrationV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
  };
}

async function timed(what: string, action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`  ${what}: ${seconds.toFixed(1)} s\n`);
  return seconds;
}

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!(await reached().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`not after two minutes: ${what}`);
    await sleep(200);
  }
}

async function podOf(app: string): Promise<V1Pod | undefined> {
  const labelSelector = `app=${app}`;
  const { items } = await client().core.listNamespacedPod({ namespace: SPACE, labelSelector });
  return items.find(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

function isReady(pod: V1Pod | undefined): boolean {
  const { conditions = [] } = pod?.status ?? {};
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/** Runs a command in the pod, through the API server and the kubelet. */
async function execInPod(...command: string[]): Promise<string> {
  const name = (await podOf("hello"))?.metadata?.name ?? "";
  const words: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      words.push(chunk);
      done();
    },
  });
  await new Promise<void>((resolve, reject) => {
    new Exec(client().config)
      .exec(SPACE, name, "hello", command, sink, sink, null, false, () => resolve())
      .catch(reject);
  });
  return Buffer.concat(words).toString();
}

function deployment(app: string, withSecret: boolean): KubernetesObject {
  const probe = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: app, namespace: SPACE },
    spec: {
      selector: { matchLabels: { app } },
      template: {
        metadata: { labels: { app } },
        spec: {
          terminationGracePeriodSeconds: 1,
          ...(withSecret ? { imagePullSecrets: [{ name: "registry" }] } : {}),
          containers: [
            {
              name: "hello",
              image: `${registry.host}/hello:1`,
              imagePullPolicy: "Always",
              readinessProbe: probe,
              livenessProbe: probe,
              // More than half of what two processors have: the node shows eight.
              resources: { requests: { cpu: "1500m" } },
            },
          ],
        },
      },
    },
  } as KubernetesObject;
}

function service(name: string, type: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: SPACE },
    spec: { type, selector: { app: "hello" }, ports: [{ port: 80, targetPort: 8080 }] },
  } as KubernetesObject;
}

async function overForward(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(3_000) })).text();
}

it("starts, is Ready and resolves names", async () => {
  const cold = await timed("cold start until names resolve", () => startRealCluster(options(NAME)));
  expect(cold).toBeLessThan(240);
  const status = await realClusterStatus({ name: NAME });
  expect(status).toMatchObject({ state: "running", readyNodes: 1 });
  expect(await realClusterStatus({ name: OTHER })).toMatchObject({ state: "absent" });
  await timed("start of one that runs", () => startRealCluster(options(NAME)));
  // A part that watches its files has had time to take notice of a change.
  await sleep(1_500);
  const again = await realClusterStatus({ name: NAME });
  expect(again.components).toEqual(status.components);
});

it("shows processors enough for what charts request", async () => {
  const node = await client().core.readNode({ name: "sandbox-node" });
  expect(Number(node.status?.capacity?.["cpu"])).toBeGreaterThanOrEqual(8);
});

it("has no way out and changes nothing outside", async () => {
  const routes = await execInNode({ name: NAME }, ["ip", "route", "show", "default"]);
  expect(routes.stdout).toBe("");
  const { groups: _groups, ...now } = await traces();
  expect(now).toEqual({ ...before, groups: undefined });
});

it("pulls from the sandbox's registry with a pull secret, and not without", async () => {
  const { registry: tool } = await acquireTools({ report: () => undefined }, ["registry"]);
  registry = await prepareRegistry(NAME);
  await startRegistry(registry, tool.path);
  await shareRegistry({ name: NAME, host: registry.host, caFile: registry.certificates.ca });
  const { username, password } = REGISTRY_USER;
  const ctr = (...args: string[]) =>
    execInNode({ name: NAME }, ["ctr", "--namespace", "k8s.io", "images", ...args]);
  expect((await ctr("import", join(work, "hello.tar"))).errorTail).toEqual([]);
  // ctr speaks plain HTTP to loopback unless a folder of hosts tells it otherwise.
  const hosts = join(work, "hosts", registry.host);
  await mkdir(hosts, { recursive: true });
  const url = `https://${registry.host}`;
  await writeFile(
    join(hosts, "hosts.toml"),
    `server = "${url}"\n[host."${url}"]\nca = "${registry.certificates.ca}"\n`,
  );
  const login = ["--user", `${username}:${password}`, "--hosts-dir", join(work, "hosts")];
  const pushed = await ctr("push", ...login, `${registry.host}/hello:1`, HELLO);
  expect(pushed.code, pushed.errorTail.join("\n")).toBe(0);
  const { core, objects } = client();
  await core.createNamespace({ body: { metadata: { name: SPACE } } });
  const auths = { auths: { [registry.host]: { username, password } } };
  await core.createNamespacedSecret({
    namespace: SPACE,
    body: {
      metadata: { name: "registry" },
      type: "kubernetes.io/dockerconfigjson",
      stringData: { ".dockerconfigjson": JSON.stringify(auths) },
    },
  });
  await objects.create(deployment("hello", true));
  await objects.create(deployment("stranger", false));
  await until("the pod is Ready through its probes", async () => isReady(await podOf("hello")));
  await until("the pod without a secret is refused", async () => {
    const [state] = (await podOf("stranger"))?.status?.containerStatuses ?? [];
    return /ErrImagePull|ImagePullBackOff/.test(state?.state?.waiting?.reason ?? "");
  });
  await client().apps.deleteNamespacedDeployment({ namespace: SPACE, name: "stranger" });
});

it("serves by name, by ClusterIP, and from outside by a load balancer's address", async () => {
  const { core, objects } = client();
  await objects.create(service("hello", "ClusterIP"));
  await objects.create(service("hello-outside", "LoadBalancer"));
  let address = "";
  await until("the load balancer has an address", async () => {
    const found = await core.readNamespacedService({ namespace: SPACE, name: "hello-outside" });
    address = found.status?.loadBalancer?.ingress?.[0]?.ip ?? "";
    return address !== "";
  });
  port = await forwardPort({ name: NAME, to: `${address}:80` });
  expect(await forwardPort({ name: NAME, to: `${address}:80` })).toBe(port);
  await until("it answers outside", async () => (await overForward()).startsWith("hello"));
  const { spec } = await core.readNamespacedService({ namespace: SPACE, name: "hello" });
  for (const host of ["hello", "hello.proof.svc.cluster.local", spec?.clusterIP ?? "", address])
    expect(await execInPod("/bin/busybox", "wget", "-qO-", `http://${host}/`), host).toBe(
      "hello from a real pod\n",
    );
});

it("gives logs, and runs commands in a pod", async () => {
  const name = (await podOf("hello"))?.metadata?.name ?? "";
  const log = await client().core.readNamespacedPodLog({ namespace: SPACE, name });
  expect(log).toContain("url:/");
  expect(await execInPod("/bin/busybox", "cat", "/proc/1/cmdline")).toContain("httpd");
  expect(await execInPod("/bin/busybox", "env")).not.toContain("LD_LIBRARY_PATH");
});

it("asks validating webhooks", async () => {
  const authority = newAuthority("test");
  const hook = authority.issue({ name: "hook", hosts: ["hook.proof.svc"], uses: ["server"] });
  await writeFile(join(work, "hook.pem"), hook.certificate);
  await writeFile(join(work, "hook.key"), hook.key);
  const abort = new AbortController();
  const program = join(import.meta.dirname, "..", "support", "admission-webhook.ts");
  const files = [join(work, "hook.pem"), join(work, "hook.key")];
  const argv = [process.execPath, program, "10.201.0.1", "8443", ...files];
  const running = execInNode({ name: NAME, signal: abort.signal }, argv).catch(() => undefined);
  try {
    const { core, objects, admission } = client();
    await objects.create({
      ...service("hook", "ClusterIP"),
      spec: { ports: [{ port: 443, targetPort: 8443 }] },
    } as KubernetesObject);
    await objects.create({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: "hook",
        namespace: SPACE,
        labels: { "kubernetes.io/service-name": "hook" },
      },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.201.0.1"], conditions: { ready: true } }],
      ports: [{ port: 8443 }],
    } as KubernetesObject);
    const caBundle = Buffer.from(authority.certificate).toString("base64");
    await admission.createValidatingWebhookConfiguration({
      body: {
        metadata: { name: "proof" },
        webhooks: [
          {
            name: "proof.sandbox.local",
            admissionReviewVersions: ["v1"],
            sideEffects: "None",
            clientConfig: { caBundle, service: { name: "hook", namespace: SPACE } },
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": SPACE } },
            rules: [
              {
                apiGroups: [""],
                apiVersions: ["v1"],
                operations: ["CREATE"],
                resources: ["configmaps"],
              },
            ],
          },
        ],
      },
    });
    const create = (name: string, labels: Record<string, string>) =>
      core.createNamespacedConfigMap({ namespace: SPACE, body: { metadata: { name, labels } } });
    const refusal = async () => {
      try {
        await create(`refused-${String(Date.now())}`, { refuse: "yes" });
        return "";
      } catch (error) {
        return String((error as Error).message);
      }
    };
    await until("the webhook refuses", async () =>
      (await refusal()).includes("the webhook of the test refuses it"),
    );
    await expect(create("allowed", {})).resolves.toMatchObject({ metadata: { name: "allowed" } });
    await admission.deleteValidatingWebhookConfiguration({ name: "proof" });
  } finally {
    abort.abort();
    await running;
  }
});

it("writes down who asked for what", async () => {
  const log = await readFile(join(realLayout(NAME).logs, "audit.log"), "utf8");
  const events = log
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { user: { username: string }; level: string });
  expect(events.map(({ user }) => user.username)).toContain("system:node:sandbox-node");
  expect(new Set(events.map(({ level }) => level))).toEqual(new Set(["Metadata"]));
});

it("is repaired after parts of it were killed", async () => {
  for (const part of ["kubelet", "kube-apiserver", "load-balancer", "etcd"] as const)
    await killRealPart({ name: NAME, part });
  expect(await realClusterStatus({ name: NAME })).toMatchObject({ state: "degraded" });
  await timed("start after four parts were killed", () => startRealCluster(options(NAME)));
  expect(await realClusterStatus({ name: NAME })).toMatchObject({ state: "running" });
  // A new kubelet probes anew, and a pod gets no connections until it has.
  await until("it answers outside", async () => (await overForward()).startsWith("hello"));
});

it("is there again after a stop, objects, images, relays and pods", async () => {
  await timed("stop that keeps the data", () => stopRealCluster({ name: NAME, keepData: true }));
  expect(await realClusterStatus({ name: NAME })).toMatchObject({ state: "stopped" });
  expect(processesOf({ text: realLayout(NAME).folder })).toEqual([]);
  await timed("warm start until names resolve", () => startRealCluster(options(NAME)));
  await until("it answers outside", async () => (await overForward()).startsWith("hello"));
  // The address was given by the load balancer before this one.
  const { objects, core } = client();
  await objects.create(service("hello-again", "LoadBalancer"));
  await until("another address", async () => {
    const found = await core.readNamespacedService({ namespace: SPACE, name: "hello-again" });
    return found.status?.loadBalancer?.ingress?.[0]?.ip === "10.201.1.2";
  });
});

it("says why at once when a part does not start", async () => {
  const broken = { ...binaries, "kube-scheduler": "/bin/false" };
  await killRealPart({ name: NAME, part: "kube-scheduler" });
  const started = performance.now();
  const attempt = startRealCluster({ ...options(NAME), binaries: broken });
  await expect(attempt).rejects.toThrow(/kube-scheduler has ended/);
  expect(performance.now() - started).toBeLessThan(60_000);
  await startRealCluster(options(NAME));
});

it("goes on after whoever started it was killed, wherever that was", async () => {
  const program = join(import.meta.dirname, "..", "support", "start-real-node.ts");
  for (const after of [600, 1_500, 3_000, 6_000]) {
    const child = spawn(process.execPath, [program, OTHER, images.pause, images.coredns]);
    const ended = new Promise((resolve) => child.once("close", resolve));
    await sleep(after);
    child.kill("SIGKILL");
    await ended;
  }
  await timed("start after kills, beside another node", () => startRealCluster(options(OTHER)));
  expect(await realClusterStatus({ name: OTHER })).toMatchObject({ state: "running" });
  expect(await overForward()).toBe("hello from a real pod\n");
});

it("is taken down although its files were removed, and leaves the other alone", async () => {
  const { folder } = realLayout(OTHER);
  // What runs writes files again while they are removed.
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  expect(existsSync(join(folder, "pids"))).toBe(false);
  await stopRealCluster({ name: OTHER });
  expect(processesOf({ text: folder })).toEqual([]);
  expect(await overForward()).toBe("hello from a real pod\n");
});

it("leaves nothing", async () => {
  const { folder, root } = realLayout(NAME);
  const { components } = await realClusterStatus({ name: NAME });
  const holder = components.find(({ name }) => name === "namespaces")?.pid ?? 0;
  const namespace = readlinkSync(`/proc/${holder}/ns/net`);
  expect(processesOf({ text: folder, namespace }).length).toBeGreaterThan(10);
  await stopRegistry(NAME);
  await timed("down", () => stopRealCluster({ name: NAME }));
  expect(processesOf({ text: folder, namespace })).toEqual([]);
  expect(await traces()).toEqual(before);
  expect(existsSync(root)).toBe(false);
  await mkdir(work, { recursive: true });
  await stopRealCluster({ name: NAME });
});
