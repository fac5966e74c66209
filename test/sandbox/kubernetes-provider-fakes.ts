import { Objects } from "../../sandbox/plugins/kubernetes/api/objects.ts";
import { ApiError } from "../../sandbox/plugins/kubernetes/api/error.ts";
import type { ApiClient, ApiRequest } from "../../sandbox/plugins/kubernetes/api/client.ts";
import type { Session } from "../../sandbox/plugins/kubernetes/session.ts";
import type { Json } from "../../sandbox/plugins/kubernetes/value.ts";

/** What a fake API server serves: kinds of cluster scope start with `Cluster`, every other lives in namespaces. */
const KINDS = ["ConfigMap", "Secret", "Service", "Endpoints", "ClusterRole", "Event"];

/** Answers one request; undefined stands for "not found". */
export type Answer = (request: ApiRequest) => Json | undefined;

/** A session against an API server that exists in the test only. */
export function fakeSession(
  parts: Partial<Session> = {},
  answer: Answer = () => undefined,
): Session {
  const send = (request: ApiRequest): Promise<Json> => {
    const found = answer(request) ?? discoveryOf(request.path);
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(
      new ApiError(404, { reason: "NotFound", message: `${request.path} not found` }),
    );
  };
  const client: ApiClient = { server: "https://127.0.0.1:1", send, close: () => undefined };
  return {
    objects: new Objects(client),
    kubeconfig: {},
    selection: {},
    version: "v1.34.3",
    defaultNamespace: "",
    upsert: false,
    patchForce: false,
    mutable: { configMaps: false, secrets: false },
    helm: {},
    cancelled: new AbortController().signal,
    ...parts,
  };
}

function discoveryOf(path: string): Json | undefined {
  if (!/^\/(api\/v1|apis\/rbac\.authorization\.k8s\.io\/v1)$/.test(path)) return undefined;
  const resources = KINDS.map((kind) => ({
    kind,
    name: kind === "Endpoints" ? "endpoints" : `${kind.toLowerCase()}s`,
    namespaced: !kind.startsWith("Cluster"),
  }));
  return { resources };
}
