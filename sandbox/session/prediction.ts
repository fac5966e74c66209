import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
} from "@kubernetes/client-node";
import type { KubernetesObject } from "@kubernetes/client-node";
import { forwardPort } from "../real/index.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import type { Session } from "./session.ts";

/** Where the sandbox's own model is served; the stack names the namespace (sandbox/stacks/real.yaml). */
const NAMESPACE = "models";
const SERVICE = "sklearn-iris";
const VOLUME = "sandbox-models";
/** Two irises of KServe's documentation: the model says versicolor to both (kserve/website: sklearn v1beta1 example). */
const FLOWERS = [
  [6.8, 2.8, 4.8, 1.4],
  [6.0, 3.4, 4.5, 1.6],
];
const ANSWER = [1, 1];
/** KServe's Gateway (kserve/kserve@v0.20.0:config/overlays, ingress gateway). */
const GATEWAY = { namespace: "kserve", name: "kserve-ingress-gateway" };
/** Milliseconds until a service has to be ready: a Python server starts in ten seconds on a quiet machine. */
const READY_WITHIN = 240_000;
const POLL = 1_000;

/** One prediction, as a client outside the cluster saw it. */
export interface Prediction {
  readonly url: string;
  readonly protocol: "v1" | "v2";
  readonly answer: readonly number[];
  readonly expected: readonly number[];
  readonly milliseconds: number;
}

/** What it takes to predict. */
export interface PredictionOptions {
  /** Folder on this machine that holds `model.joblib`. */
  readonly model: string;
  readonly signal?: AbortSignal | undefined;
  /** Receives a line now and then while the service starts. */
  readonly tell: (text: string) => void;
}

/** Makes the namespace that models are served in: the stack wants it there before the installation. */
export async function prepareModels(session: Session): Promise<void> {
  await apply(session, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } }]);
}

/**
 * Serves the iris model from a volume, as a user would: an InferenceService, then requests through the gateway's load
 * balancer from outside the cluster, over http and https, in both protocols. Throws a report where the service does not
 * become ready; an answer that is wrong is in the result.
 */
export async function predict(
  session: Session,
  options: PredictionOptions,
): Promise<readonly Prediction[]> {
  await apply(session, manifests(options.model));
  const host = new URL(await untilReady(session, options)).host;
  const address = await gatewayAddress(session);
  const certificate = await gatewayCertificate(session);
  const ways: Way[] = [
    { scheme: "http", port: await forwardPort({ name: session.name, to: `${address}:80` }), host },
    {
      scheme: "https",
      port: await forwardPort({ name: session.name, to: `${address}:443` }),
      host,
      certificate,
    },
  ];
  const results: Prediction[] = [];
  for (const way of ways)
    for (const protocol of ["v1", "v2"] as const) results.push(await ask(way, protocol, options));
  return results;
}

/** Takes the service away, and waits until its controller has finished with it. */
export async function removePrediction(session: Session): Promise<void> {
  const { objects } = clients(session);
  for (const object of manifests("").reverse())
    await objects.delete(object).catch((error: unknown) => {
      if ((error as { code?: number }).code !== 404) throw error;
    });
  const deadline = Date.now() + READY_WITHIN;
  while ((await readService(session)) !== undefined) {
    if (Date.now() > deadline) throw notReady("it hangs in deletion", session);
    await sleep(POLL);
  }
}

/** An object with whatever its kind holds. */
type AnyObject = KubernetesObject & { readonly spec?: unknown };

interface Way {
  readonly scheme: "http" | "https";
  /** On this machine's loopback. */
  readonly port: number;
  readonly host: string;
  /** PEM text: the gateway signs its certificate itself. */
  readonly certificate?: string;
}

function manifests(model: string): AnyObject[] {
  const namespaced = { namespace: NAMESPACE };
  const claim = {
    accessModes: ["ReadOnlyMany"],
    storageClassName: "",
    volumeName: VOLUME,
    resources: { requests: { storage: "1Gi" } },
  };
  const volume = {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadOnlyMany"],
    storageClassName: "",
    hostPath: { path: model, type: "Directory" },
    claimRef: { ...namespaced, name: VOLUME },
  };
  const predictor = {
    model: {
      modelFormat: { name: "sklearn" },
      protocolVersion: "v2",
      runtime: "kserve-sklearnserver",
      storageUri: `pvc://${VOLUME}`,
      resources: {
        requests: { cpu: "100m", memory: "256Mi" },
        limits: { cpu: "1", memory: "1Gi" },
      },
    },
  };
  return [
    { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: VOLUME }, spec: volume },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { ...namespaced, name: VOLUME },
      spec: claim,
    },
    {
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { ...namespaced, name: SERVICE },
      spec: { predictor },
    },
  ];
}

function clients(session: Session) {
  const config = new KubeConfig();
  config.loadFromFile(session.cluster.kubeconfig);
  return {
    objects: KubernetesObjectApi.makeApiClient(config),
    core: config.makeApiClient(CoreV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}

async function apply(session: Session, wanted: readonly KubernetesObject[]): Promise<void> {
  const { objects } = clients(session);
  for (const object of wanted)
    await objects.patch(object, undefined, undefined, "kserve-platform-sandbox", true, APPLY);
}

/** Server-side apply (kubernetes/website: API concepts, patch and apply). */
const APPLY = "application/apply-patch+yaml";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

interface Service {
  readonly status?: { readonly url?: string; readonly conditions?: readonly Condition[] };
}

async function readService(session: Session): Promise<Service | undefined> {
  const { custom } = clients(session);
  return custom
    .getNamespacedCustomObject({
      group: "serving.kserve.io",
      version: "v1beta1",
      namespace: NAMESPACE,
      plural: "inferenceservices",
      name: SERVICE,
    })
    .then(
      (found) => found as Service,
      (error: unknown) => {
        if ((error as { code?: number }).code === 404) return undefined;
        throw error;
      },
    );
}

async function untilReady(session: Session, options: PredictionOptions): Promise<string> {
  const deadline = Date.now() + READY_WITHIN;
  let told = "";
  for (;;) {
    options.signal?.throwIfAborted();
    const { url, conditions = [] } = (await readService(session))?.status ?? {};
    if (url !== undefined && conditions.some(isReady)) return url;
    const state = stateOf(conditions);
    if (state !== told) options.tell((told = state));
    if (Date.now() > deadline) throw notReady(state, session);
    await sleep(POLL);
  }
}

function stateOf(conditions: readonly Condition[]): string {
  if (conditions.length === 0) return "not seen by its controller yet";
  const missing = conditions.filter(({ status }) => status !== "True");
  return missing.map(({ type, message = "" }) => `${type} ${message}`.trim()).join("; ");
}

function isReady({ type, status }: Condition): boolean {
  return type === "Ready" && status === "True";
}

async function gatewayAddress(session: Session): Promise<string> {
  const { custom } = clients(session);
  const gateway = (await custom.getNamespacedCustomObject({
    group: "gateway.networking.k8s.io",
    version: "v1",
    plural: "gateways",
    ...GATEWAY,
  })) as { status?: { addresses?: readonly { value: string }[] } };
  const address = gateway.status?.addresses?.[0]?.value;
  if (address === undefined) throw notReady("the Gateway has no address", session);
  return address;
}

async function gatewayCertificate(session: Session): Promise<string> {
  const { core } = clients(session);
  const { namespace } = GATEWAY;
  const secret = await core.readNamespacedSecret({ name: "kserve-ingress-tls", namespace });
  return Buffer.from(secret.data?.["tls.crt"] ?? "", "base64").toString("utf8");
}

async function ask(
  way: Way,
  protocol: Prediction["protocol"],
  { signal }: PredictionOptions,
): Promise<Prediction> {
  const path = protocol === "v1" ? `/v1/models/${SERVICE}:predict` : `/v2/models/${SERVICE}/infer`;
  const started = performance.now();
  const answer = await post(way, { path, body: question(protocol), signal });
  const milliseconds = Math.round(performance.now() - started);
  const url = `${way.scheme}://${way.host}${path}`;
  return { url, protocol, answer: classesIn(answer, protocol), expected: ANSWER, milliseconds };
}

function question(protocol: Prediction["protocol"]): unknown {
  if (protocol === "v1") return { instances: FLOWERS };
  const shape = [FLOWERS.length, FLOWERS[0]?.length];
  return { inputs: [{ name: "input-0", shape, datatype: "FP32", data: FLOWERS }] };
}

function classesIn(text: string, protocol: Prediction["protocol"]): number[] {
  try {
    const found = JSON.parse(text) as {
      predictions?: number[];
      outputs?: { data: number[] }[];
    };
    return (protocol === "v1" ? found.predictions : found.outputs?.[0]?.data) ?? [];
  } catch {
    return [];
  }
}

function post(
  { scheme, port, host, certificate }: Way,
  asked: {
    readonly path: string;
    readonly body: unknown;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const { path, body, signal } = asked;
  const options = {
    host: "127.0.0.1",
    port,
    path,
    method: "POST",
    headers: { host, "content-type": "application/json" },
    ...(signal === undefined ? {} : { signal }),
    ...(certificate === undefined ? {} : { ca: certificate, servername: host }),
  };
  const call = (scheme === "http" ? plain : secure)(options, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
  call.on("error", reject);
  call.end(JSON.stringify(body));
  return promise;
}

function notReady(state: string, session: Session) {
  return sandboxError({
    code: "sandbox-service-not-ready",
    where: `InferenceService ${NAMESPACE}/${SERVICE}`,
    found: state,
    allowed: `a service that is ready within ${String(READY_WITHIN / 1000)} seconds`,
    fix: `look at it: kubectl --kubeconfig ${session.cluster.kubeconfig} --namespace ${NAMESPACE} describe inferenceservices,pods`,
  });
}
