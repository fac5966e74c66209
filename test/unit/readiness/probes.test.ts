import { describe, expect, it } from "vitest";
import { judgesObject } from "../../../components/readiness/judging.ts";
import type { Webhook } from "../../../components/readiness/judging.ts";
import { CONFIGURATION_KINDS } from "../../../components/readiness/part.ts";
import { standIns } from "../../../sandbox/charts/index.ts";
import type { KubeObject } from "../../../sandbox/charts/model.ts";
import { loadProbes } from "../../../versions/probes.ts";
import { catalog } from "../../support/settings.ts";

/** Of ModelMesh's own controller; the stand-in names it after its configuration, upstream does not. */
const STAND_IN_ONLY = ["modelmesh-servingruntime.kserve-webhook-server.validator"];

/**
 * Webhooks that upstream's charts, or the operator behind one, install with the default set, and those of KServe's other
 * controllers (kserve/kserve@v0.20.0:config/webhook, cert-manager/cert-manager@v1.21.1:deploy/charts/cert-manager,
 * istio/istio@1.28.10:manifests/charts, knative/serving@knative-v1.20.0:config/core/webhooks,
 * knative-extensions/net-istio@knative-v1.20.2:config,
 * envoyproxy/gateway@v1.8.3:charts/gateway-helm).
 */
const UPSTREAM = [
  "webhook.cert-manager.io",
  "inferenceservice.kserve-webhook-server.defaulter",
  "inferenceservice.kserve-webhook-server.pod-mutator",
  "clusterservingruntime.kserve-webhook-server.validator",
  "inferencegraph.kserve-webhook-server.validator",
  "inferenceservice.kserve-webhook-server.validator",
  "servingruntime.kserve-webhook-server.validator",
  "trainedmodel.kserve-webhook-server.validator",
  "localmodelcache.kserve-webhook-server.validator",
  "llminferenceservice.kserve-webhook-server.v1alpha1.defaulter",
  "llminferenceservice.kserve-webhook-server.v1alpha2.defaulter",
  "llminferenceservice.kserve-webhook-server.v1alpha1.validator",
  "llminferenceservice.kserve-webhook-server.v1alpha2.validator",
  "llminferenceserviceconfig.kserve-webhook-server.v1alpha1.validator",
  "llminferenceserviceconfig.kserve-webhook-server.v1alpha2.validator",
  "rev.namespace.sidecar-injector.istio.io",
  "rev.object.sidecar-injector.istio.io",
  "namespace.sidecar-injector.istio.io",
  "object.sidecar-injector.istio.io",
  "rev.validation.istio.io",
  "validation.istio.io",
  "config.webhook.serving.knative.dev",
  "webhook.serving.knative.dev",
  "validation.webhook.serving.knative.dev",
  "config.webhook.istio.networking.internal.knative.dev",
  "webhook.istio.networking.internal.knative.dev",
  "topology.webhook.gateway.envoyproxy.io",
];

/** A webhook of a chart, with the release that brings it. */
type Found = readonly [release: string, webhook: Webhook];

function webhooksOf(object: KubeObject): readonly Webhook[] {
  const isConfiguration = (CONFIGURATION_KINDS as readonly string[]).includes(object.kind);
  return isConfiguration ? (object["webhooks"] as readonly Webhook[]) : [];
}

const found: readonly Found[] = catalog.releases().flatMap((release) =>
  standIns(release).charts.flatMap((chart) => {
    const templates = Object.values(chart.templates).flatMap(({ docs }) => docs);
    return templates.flatMap(({ object }) =>
      webhooksOf(object).map((webhook): Found => [
        `${release.product} ${release.version}`,
        webhook,
      ]),
    );
  }),
);

describe("an object for every webhook", () => {
  const { probes } = loadProbes();
  const known = new Set(probes.flatMap(({ webhooks }) => webhooks));

  it("of the charts in the sandbox is known", () => {
    const unknown = found
      .map(([, { name }]) => name)
      .filter((name) => !known.has(name) && !STAND_IN_ONLY.includes(name));
    expect(found.length).toBeGreaterThan(100);
    expect([...new Set(unknown)]).toEqual([]);
  });

  it("of upstream's default set is known", () => {
    expect(UPSTREAM.filter((name) => !known.has(name))).toEqual([]);
  });

  it("is one that the webhook judges, by its rules and its object selector", () => {
    const blind = found
      .filter(([, { name }]) => known.has(name))
      .filter(
        ([, webhook]) =>
          !probes.some(
            (probe) => probe.webhooks.includes(webhook.name) && judgesObject(webhook, probe),
          ),
      )
      .map(([release, { name }]) => `${release}: ${name}`);
    expect(blind).toEqual([]);
  });
});

/** Knative fills its webhooks in while it runs; what it writes is not in any chart. */
describe("an object for what net-istio's webhook takes in", () => {
  const name = "webhook.istio.networking.internal.knative.dev";
  it("is a Deployment of a revision", () => {
    // knative/pkg@6fe064596819:webhook/resourcesemantics/defaulting/defaulting.go, reconcileMutatingWebhook
    const webhook: Webhook = {
      name,
      rules: [
        {
          operations: ["CREATE", "UPDATE"],
          apiGroups: ["apps"],
          apiVersions: ["v1"],
          resources: ["deployments", "deployments/status"],
        },
      ],
      objectSelector: {
        matchExpressions: [{ key: "serving.knative.dev/configuration", operator: "Exists" }],
      },
    };
    const ours = loadProbes().probes.filter(({ webhooks }) => webhooks.includes(name));
    expect(ours.map((probe) => judgesObject(webhook, probe))).toEqual([true]);
  });
});

describe("judgesObject", () => {
  const [probe] = loadProbes().probes.filter(({ resource }) => resource === "servingruntimes");
  const webhook = (rule: object, more: object = {}): Webhook => ({
    name: "x",
    rules: [
      {
        operations: ["CREATE"],
        apiGroups: ["serving.kserve.io"],
        apiVersions: ["v1alpha1"],
        resources: ["servingruntimes"],
        ...rule,
      },
    ],
    ...more,
  });
  it.each([
    ["the same", {}, true],
    [
      "everything",
      { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] },
      true,
    ],
    ["everything with subresources", { resources: ["*/*"] }, true],
    ["it with its subresources", { resources: ["servingruntimes/*"] }, true],
    ["its status only", { resources: ["servingruntimes/status"] }, false],
    ["another version", { apiVersions: ["v1"] }, false],
    ["another group", { apiGroups: [""] }, false],
    ["deletions", { operations: ["DELETE"] }, false],
    ["objects outside namespaces", { scope: "Cluster" }, false],
    ["objects in namespaces", { scope: "Namespaced" }, true],
  ])("knows a rule for %s", (_name, rule, judged) => {
    expect(probe !== undefined && judgesObject(webhook(rule), probe)).toBe(judged);
  });

  it.each([
    ["In", ["a"], false],
    ["NotIn", ["a"], true],
    ["Exists", undefined, false],
    ["DoesNotExist", undefined, true],
  ])("knows the operator %s on a label that is not there", (operator, values, judged) => {
    const expression = { key: "k", operator, ...(values === undefined ? {} : { values }) };
    const selector = { objectSelector: { matchExpressions: [expression] } };
    expect(probe !== undefined && judgesObject(webhook({}, selector), probe)).toBe(judged);
  });
});
