import { describe, expect, it } from "vitest";
import { requireLoopback } from "../../sandbox/plugins/kubernetes/api/kubeconfig.ts";
import { serviceJudge, Settling } from "../../sandbox/plugins/kubernetes/await/service.ts";
import { parseWaitFor } from "../../sandbox/plugins/kubernetes/await/wait-for.ts";
import { judgeOf } from "../../sandbox/plugins/kubernetes/await/workloads.ts";
import { edges } from "../../sandbox/plugins/kubernetes/component/edges.ts";
import { parseManifests } from "../../sandbox/plugins/kubernetes/component/parse.ts";
import { tokenOf, typeInfo, typeOfUrn } from "../../sandbox/plugins/kubernetes/kinds.ts";
import { checkInputs } from "../../sandbox/plugins/kubernetes/resource/check.ts";
import { create } from "../../sandbox/plugins/kubernetes/resource/create.ts";
import { takeOverFields } from "../../sandbox/plugins/kubernetes/resource/managers.ts";
import { ApiError } from "../../sandbox/plugins/kubernetes/api/error.ts";
import { fakeSession } from "./kubernetes-provider-fakes.ts";
import type { JsonObject } from "../../sandbox/plugins/kubernetes/value.ts";

const LOG = { warning: () => undefined, status: () => undefined };

describe("types", () => {
  it("tells a patch from a kind whose own name ends in Patch", () => {
    const token = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinitionPatch";
    expect(typeInfo(token, "CustomResourceDefinition")).toEqual({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      patch: true,
    });
    expect(typeInfo("kubernetes:a.io/v1:MyPatch", "MyPatch").patch).toBe(false);
  });

  it("names the core group in tokens only", () => {
    expect(tokenOf("v1", "Service")).toBe("kubernetes:core/v1:Service");
    expect(typeInfo("kubernetes:core/v1:Service").apiVersion).toBe("v1");
    expect(typeOfUrn("urn:pulumi:s::p::a:b:C$kubernetes:apps/v1:Deployment::d")).toBe(
      "kubernetes:apps/v1:Deployment",
    );
  });
});

describe("loopback", () => {
  it.each(["https://127.0.0.1:6443", "https://localhost:1", "https://[::1]:6443"])(
    "serves %s",
    (server) => {
      expect(() => requireLoopback(server)).not.toThrow();
    },
  );

  it.each(["https://10.0.0.1:6443", "https://127.0.0.1.example.com", "https://prod.example.com"])(
    "refuses %s and names the official plugin",
    (server) => {
      expect(() => requireLoopback(server)).toThrow(/plugin install resource kubernetes/);
      expect(() => requireLoopback(server)).toThrow(server);
    },
  );
});

describe("waitFor", () => {
  const live = {
    metadata: { generation: 2 },
    status: {
      version: "1.20.0",
      conditions: [
        { type: "Ready", status: "True" },
        { type: "Stalled", status: "False" },
      ],
    },
    webhooks: [{ clientConfig: { caBundle: "x" } }],
  };

  it.each([
    ["condition=Ready", true],
    ["condition=Stalled", false],
    ["condition=Stalled=False", true],
    ["jsonpath={.status.version}", true],
    ["jsonpath={.status.version}=1.20.0", true],
    ["jsonpath={.status.version}=1.21.0", false],
    ["jsonpath={.status.missing}", false],
    ["jsonpath={.webhooks[*].clientConfig.caBundle}", true],
    ['jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', true],
    ['["condition=Ready","jsonpath={.status.version}=1.20.0"]', true],
    ['["condition=Ready","condition=Stalled"]', false],
  ])("%s is %s", async (expression, done) => {
    expect((await parseWaitFor(expression)(live)).done).toBe(done);
  });

  it("says what is missing", async () => {
    expect((await parseWaitFor("condition=Stalled")(live)).missing[0]).toContain(
      "Stalled=True: False",
    );
  });

  it("does not trust a status that is about an older generation", async () => {
    const old = { ...live, status: { ...live.status, observedGeneration: 1 } };
    expect((await parseWaitFor("condition=Ready")(old)).done).toBe(false);
    expect((await parseWaitFor("jsonpath={.status.version}")(old)).done).toBe(false);
  });

  it.each(["Ready", "jsonpath=.status", "jsonpath={.a}=", "[]"])("refuses %s", (expression) => {
    expect(() => parseWaitFor(expression)).toThrow();
  });
});

describe("readiness", () => {
  it("waits for every replica of a Deployment's new form", async () => {
    const judge = judgeOf("apps/v1/Deployment");
    const counts = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
    const conditions = [{ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" }];
    const status = { observedGeneration: 1, conditions, ...counts };
    const live = { metadata: { generation: 1 }, spec: { replicas: 2 }, status };
    expect((await judge?.(live))?.done).toBe(true);
    expect((await judge?.({ ...live, metadata: { generation: 2 } }))?.done).toBe(false);
    const short = { ...live, status: { ...status, availableReplicas: 1 } };
    expect((await judge?.(short))?.missing).toContain("availableReplicas: 1 of 2");
  });

  it("takes endpoints for settled ten seconds after they changed", () => {
    const settling = new Settling();
    expect(settling.isSettled(0)).toBe(false);
    settling.look("1", 0);
    settling.look("1", 5_000);
    expect(settling.isSettled(9_999)).toBe(false);
    expect(settling.isSettled(10_000)).toBe(true);
    settling.look("2", 10_500);
    expect(settling.isSettled(11_000)).toBe(false);
  });

  it("does not wait for endpoints of a Service without a selector", async () => {
    const service = { metadata: { name: "s", namespace: "n" }, spec: { type: "ClusterIP" } };
    expect((await serviceJudge(fakeSession().objects)(service)).done).toBe(true);
    const balanced = { ...service, spec: { type: "LoadBalancer" }, status: {} };
    expect((await serviceJudge(fakeSession().objects)(balanced)).missing[0]).toContain(
      "not allocated an IP",
    );
  });
});

describe("components", () => {
  it("orders definitions before their resources, namespaces before their content, and what is asked for", () => {
    const objects: JsonObject[] = [
      { apiVersion: "a.io/v1", kind: "A", metadata: { name: "a", namespace: "n" } },
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: "c",
          annotations: { "config.kubernetes.io/depends-on": "a.io/namespaces/n/A/a" },
        },
      },
      {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "as.a.io" },
        spec: { group: "a.io", names: { kind: "A" } },
      },
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } },
    ];
    expect(edges(objects)).toEqual([[2, 3], [0], [], []]);
  });

  it("reads YAML as Go does: octal modes, yes for true, dates as text, lists opened", () => {
    const text =
      "kind: List\nitems:\n- {mode: 0644, on: yes, day: 2020-01-01, time: 12:30}\n---\n# nothing\n";
    expect(parseManifests(text)).toEqual([
      { mode: 420, true: true, day: "2020-01-01", time: "12:30" },
    ]);
  });
});

describe("check", () => {
  const urn = "urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::settings";
  const bare = { apiVersion: "v1", kind: "ConfigMap" };
  const seed = new Uint8Array([1]);

  it("names an object after its resource and keeps that name", async () => {
    const session = fakeSession({ defaultNamespace: "home" });
    const first = await checkInputs(session, { urn, olds: {}, news: bare, seed });
    expect(first["metadata"]).toMatchObject({ namespace: "home" });
    const { name } = first["metadata"] as { name: string };
    expect(name).toMatch(/^settings-[0-9a-f]{8}$/);
    const again = await checkInputs(session, {
      urn,
      olds: first,
      news: bare,
      seed: new Uint8Array([2]),
    });
    expect(again["metadata"]).toMatchObject({ name });
  });

  it("refuses a patch without a name", async () => {
    const patch = urn.replace("ConfigMap", "ConfigMapPatch");
    await expect(
      checkInputs(fakeSession(), { urn: patch, olds: {}, news: bare, seed }),
    ).rejects.toThrow(".metadata.name");
  });
});

describe("create", () => {
  const urn = "urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::c";
  const properties = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "n" },
  };
  const args = { urn, properties, preview: false, timeout: 0 };

  it("fails on an object that is there, with advice", async () => {
    const session = fakeSession({}, ({ method }) => {
      if (method === "POST")
        throw new ApiError(409, { reason: "AlreadyExists", message: "c already exists" });
      return undefined;
    });
    await expect(create(session, LOG, args)).rejects.toThrow(
      /c already exists[\s\S]*upsertExistingObjects/,
    );
    expect((await create(session, LOG, { ...args, preview: true })).state).toBe(properties);
  });

  it("applies where existing objects are welcome", async () => {
    const methods: string[] = [];
    const session = fakeSession({ upsert: true }, ({ method, contentType, query }) => {
      if (method === undefined) return undefined;
      methods.push(`${method} ${contentType ?? ""} force=${query?.["force"] ?? ""}`);
      return properties;
    });
    const { id, state } = await create(session, LOG, args);
    expect(methods).toEqual(["PATCH application/apply-patch+yaml force=false"]);
    expect(id).toBe("n/c");
    expect(state["__fieldManager"]).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/);
  });
});

describe("field managers", () => {
  it("hands the fields of a create to the manager that applies", async () => {
    const entry = (manager: string, fieldsV1: JsonObject) => ({
      manager,
      operation: "Update",
      fieldsV1,
    });
    const managedFields = [
      entry("pulumi-kubernetes", { "f:data": { "f:a": {} } }),
      entry("other", {}),
    ];
    const metadata = { name: "c", namespace: "n", resourceVersion: "7", managedFields };
    const live = { apiVersion: "v1", kind: "ConfigMap", metadata };
    let sent: JsonObject["body"] = null;
    const session = fakeSession({}, ({ method, body }) => {
      if (method !== "PATCH") return undefined;
      sent = body ?? null;
      return live;
    });
    await takeOverFields(session.objects, live, "mine");
    expect(sent).toMatchObject([
      {
        value: [
          { manager: "other" },
          { manager: "mine", operation: "Apply", fieldsV1: { "f:data": { "f:a": {} } } },
        ],
      },
      { value: "7" },
    ]);
  });
});
