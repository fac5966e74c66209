import { describe, expect, it } from "vitest";
import { findInUse } from "../../components/in-use/find-objects.ts";
import type { Found } from "../../components/in-use/find-objects.ts";
import { guardOf, judge } from "../../components/in-use/kinds.ts";
import type { ClusterObject, Guarded } from "../../components/in-use/kinds.ts";
import { namesOf, removeObjects } from "../../components/in-use/remove-objects.ts";
import type { LayerName } from "../../plan/plan.ts";
import { fakeApi, servedKinds } from "../support/fake-api.ts";
import type { FakeAnswers } from "../support/fake-api.ts";
import { runProgram } from "../support/program.ts";
import { planOf } from "../support/settings.ts";

const GUARDED: Guarded = {
  kinds: [
    "clusterservingruntimes.serving.kserve.io",
    "inferenceservices.serving.kserve.io",
    "certificates.cert-manager.io",
    "gateways.gateway.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "services.serving.knative.dev",
  ],
  placed: [
    "ClusterServingRuntime.serving.kserve.io /ours",
    "Gateway.gateway.networking.k8s.io kserve/kserve-ingress-gateway",
  ],
  classes: ["envoy"],
  gateways: ["kserve/kserve-ingress-gateway"],
  owners: ["serving.kserve.io"],
};

const object = (name: string, rest: Partial<ClusterObject["metadata"]> = {}): ClusterObject => ({
  metadata: { name, namespace: "team-a", ...rest },
});
const route = (name: string, gateway: string, namespace?: string): ClusterObject => ({
  ...object(name),
  spec: { parentRefs: [{ name: gateway, ...(namespace === undefined ? {} : { namespace }) }] },
});
const owned = (name: string, apiVersion: string): ClusterObject =>
  object(name, { ownerReferences: [{ apiVersion, kind: "InferenceService", name: "sklearn" }] });

/** A cluster on which others have made things. */
const CLUSTER: FakeAnswers = servedKinds({
  "serving.kserve.io/v1beta1/inferenceservices": {
    kind: "InferenceService",
    items: [object("sklearn", { finalizers: ["inferenceservice.finalizers"] })],
  },
  "serving.kserve.io/v1alpha1/clusterservingruntimes": {
    kind: "ClusterServingRuntime",
    items: [{ metadata: { name: "ours" } }, { metadata: { name: "theirs" } }],
  },
  "cert-manager.io/v1/certificates": { kind: "Certificate", items: [object("web")] },
  "gateway.networking.k8s.io/v1/gateways": {
    kind: "Gateway",
    items: [
      { metadata: { name: "kserve-ingress-gateway", namespace: "kserve" } },
      { ...object("ours-by-class"), spec: { gatewayClassName: "envoy" } },
      { ...object("another"), spec: { gatewayClassName: "nginx" } },
    ],
  },
  "gateway.networking.k8s.io/v1/httproutes": {
    kind: "HTTPRoute",
    items: [
      route("at-ours", "kserve-ingress-gateway", "kserve"),
      route("at-their-gateway-of-our-class", "ours-by-class"),
      route("at-another", "another"),
    ],
  },
});
const titles = (found: readonly Found[]): string[] => found.map(({ title }) => title).toSorted();

describe("findInUse", () => {
  it("tells what needs the platform from what merely stays, and leaves out what we placed", async () => {
    const { needs, stays } = await findInUse(fakeApi(CLUSTER), GUARDED);
    expect(titles(needs)).toEqual([
      "ClusterServingRuntime theirs",
      "Gateway team-a/ours-by-class",
      "HTTPRoute team-a/at-ours",
      "HTTPRoute team-a/at-their-gateway-of-our-class",
      "InferenceService team-a/sklearn",
    ]);
    expect(titles(stays)).toEqual(["Certificate team-a/web"]);
    expect(needs.find(({ title }) => title.endsWith("sklearn"))?.path).toBe(
      "/apis/serving.kserve.io/v1beta1/namespaces/team-a/inferenceservices/sklearn",
    );
  });

  it("finds nothing where no kind is served", async () => {
    expect(await findInUse(fakeApi({}), GUARDED)).toEqual({ needs: [], stays: [] });
  });

  it("reads long lists to their end", async () => {
    let asked = 0;
    const pages = (): unknown => {
      asked += 1;
      return { items: [object(`s${String(asked)}`)], metadata: { continue: asked < 3 ? "t" : "" } };
    };
    const path = "/apis/serving.kserve.io/v1beta1/inferenceservices";
    const { needs } = await findInUse(fakeApi({ ...CLUSTER, [path]: pages }), {
      ...GUARDED,
      kinds: ["inferenceservices.serving.kserve.io"],
    });
    expect(titles(needs)).toHaveLength(3);
  });

  it("reports a kind that it must not list: nobody's service is to go unseen", async () => {
    const refused = { status: 403, body: { message: "cannot list" } };
    const path = "/apis/serving.kserve.io/v1beta1/inferenceservices";
    await expect(findInUse(fakeApi({ ...CLUSTER, [path]: refused }), GUARDED)).rejects.toThrow(
      /destroy-use-not-seen[^]*inferenceservices[^]*403 cannot list/,
    );
  });
});

describe("judge", () => {
  it.each([
    ["services.serving.knative.dev", owned("s", "serving.kserve.io/v1beta1"), "ignored"],
    ["services.serving.knative.dev", owned("s", "example.org/v1"), "needs"],
    ["localmodelnodes.serving.kserve.io", object("node"), "ignored"],
    ["certificates.cert-manager.io", object("c"), "stays"],
    ["challenges.acme.cert-manager.io", object("c", { finalizers: ["f"] }), "needs"],
    ["gatewayclasses.gateway.networking.k8s.io", object("c", { finalizers: ["f"] }), "ignored"],
    ["virtualservices.networking.istio.io", object("v"), "stays"],
  ])("of a %s", (kind, found, verdict) => {
    expect(judge(kind, found, GUARDED)).toBe(verdict);
  });
});

describe("guardOf", () => {
  const all: LayerName[] = [
    "CertManager",
    "GatewayApi",
    "IstioMesh",
    "KnativeServing",
    "KServeCore",
  ];
  const definitions = ["inferenceservices.serving.kserve.io"];
  const placed = [
    { kind: "ServingRuntime", group: "serving.kserve.io", namespace: "kserve", name: "x" },
    { kind: "Certificate", group: "cert-manager.io", namespace: "kserve", name: "y" },
  ];

  it("asks about the definitions of its layers, and the kinds that Knative's operator brings", () => {
    const guarded = guardOf(all, planOf(), { definitions, placed });
    expect(guarded.kinds).toContain("inferenceservices.serving.kserve.io");
    expect(guarded.kinds).toContain("services.serving.knative.dev");
    expect(guarded.placed).toEqual(["ServingRuntime.serving.kserve.io kserve/x"]);
    expect(guarded).toMatchObject({
      classes: ["kserve-ingress", "istio"],
      gateways: ["kserve/kserve-ingress-gateway"],
    });
  });

  it("does not excuse services of KServe where Knative alone goes", () => {
    const guarded = guardOf(["KnativeServing"], planOf(), { definitions: [], placed });
    const service = owned("sklearn-predictor", "serving.kserve.io/v1beta1");
    expect(judge("services.serving.knative.dev", service, guarded)).toBe("needs");
    const revision = owned("r", "serving.knative.dev/v1");
    expect(judge("routes.serving.knative.dev", revision, guarded)).toBe("ignored");
  });

  it("serves no class that somebody else's controller serves", () => {
    const raw = planOf({ mode: "RawDeployment" });
    const guarded = guardOf(["GatewayApi"], raw, { definitions: [], placed: [] });
    expect(guarded).toMatchObject({ classes: [], gateways: ["kserve/kserve-ingress-gateway"] });
    const envoy = planOf({ mode: "RawDeployment", ingress: { type: "envoy" } });
    expect(guardOf(["EnvoyGateway"], envoy, { definitions: [], placed: [] })).toMatchObject({
      classes: ["envoy"],
      gateways: ["kserve/kserve-ingress-gateway"],
    });
  });
});

describe("removeObjects", () => {
  const patience = { stalled: 5_000, idle: 5_000, poll: 5, tell: 10_000 };
  const found = (definition: string, path: string): Found => ({
    definition,
    title: path,
    path,
    finalizers: [],
  });

  it("deletes services before what they refer to, and waits for finalizers", async () => {
    let questions = 0;
    const ending = (): unknown => {
      questions += 1;
      return questions > 3 ? undefined : { metadata: { finalizers: ["f"] } };
    };
    const api = fakeApi({ "/service": ending, "/runtime": { metadata: {} } });
    const objects = [
      found("servingruntimes.serving.kserve.io", "/runtime"),
      found("inferenceservices.x", "/service"),
    ];
    await removeObjects(api, { objects, controllers: [] }, patience);
    expect(api.calls).toEqual([
      "DELETE /service",
      "GET /service",
      "GET /service",
      "GET /service",
      "DELETE /runtime",
      "GET /runtime",
    ]);
  });

  const hanging = { "/service": () => ({ metadata: { finalizers: ["a.finalizer"] } }) };
  const service = { objects: [found("inferenceservices.x", "/service")], controllers: ["kserve"] };

  it("ends with names and finalizers when nothing goes any more", async () => {
    await expect(
      removeObjects(fakeApi(hanging), service, { ...patience, stalled: 30 }),
    ).rejects.toThrow(/destroy-services-stuck[^]*1: \/service; finalizers: a\.finalizer/);
  });

  it("ends sooner, and says which, where a controller does not run", async () => {
    const deployments = {
      items: [
        { metadata: { name: "fine" }, spec: {}, status: { availableReplicas: 1 } },
        { metadata: { name: "manager" }, spec: { replicas: 2 } },
      ],
    };
    const api = fakeApi({ ...hanging, "/apis/apps/v1/namespaces/kserve/deployments": deployments });
    await expect(removeObjects(api, service, { ...patience, idle: 30 })).rejects.toThrow(
      /not running: kserve\/manager \(0 of 2 available\)/,
    );
  });

  it("says what the API server does not let it delete", async () => {
    const api = fakeApi({ "/service": { status: 403, body: { message: "no" } } });
    await expect(removeObjects(api, service, patience)).rejects.toThrow(
      /destroy-services-refused[^]*403 no/,
    );
  });
});

describe("namesOf", () => {
  it("names twenty objects, what owns them, and how many more there are", () => {
    const many = Array.from({ length: 25 }, (_, at) => ({ title: `Service s${String(at)}` }));
    expect(namesOf(many)).toMatch(/^Service s0, .*Service s19 and 5 more$/);
    expect(namesOf([{ title: "Service a", owner: "InferenceService b" }])).toBe(
      "Service a (of InferenceService b)",
    );
  });
});

describe("UseGuards", () => {
  it("stands on everything, so that it is asked first", async () => {
    const recording = await runProgram();
    const platform = recording.get("in-use-platform");
    expect(platform.dependsOn).toEqual(
      expect.arrayContaining(["in-use-GatewayApi", "in-use-IstioMesh", "in-use-KnativeServing"]),
    );
    for (const chart of ["kserve-controller", "kserve-runtimes", "istio-istiod"])
      expect(platform.dependsOn).toContain(chart);
    expect(recording.get("in-use-KnativeServing").dependsOn).toContain("knative-serving");
  });

  it("has a guard for each layer that may go while the platform stays", async () => {
    const recording = await runProgram({ mode: "RawDeployment", ingress: { type: "envoy" } });
    expect(recording.childrenOf(recording.get("in-use")).toSorted()).toEqual([
      "in-use-EnvoyGateway",
      "in-use-GatewayApi",
      "in-use-platform",
    ]);
  });
});
