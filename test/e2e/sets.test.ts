/** The other version sets: the older chart layouts and mode spellings, installed as a whole. */
import { afterEach, expect, it } from "vitest";
import { parse } from "yaml";
import { stopCluster } from "../../sandbox/cluster/index.ts";
import { clients, clusterObjectNames, freshSession, run, useStack } from "./support.ts";

const NAME = "e2e-sets";
const REASON = "the sandbox has one Kubernetes version; this set is published for an older one";
const onNewerKubernetes = ["compat-kserve-kubernetes", "compat-istio-kubernetes"].map((rule) => ({
  rule,
  reason: REASON,
}));
/** In 0.16's set a release whose chart has no value for the proxies' image. */
const ENVOY = { type: "envoy", domain: "sandbox.local" };

afterEach(async () => {
  await stopCluster({ name: NAME });
});

it.each([
  ["0.16.0", "Knative", { acknowledge: [] }],
  ["0.16.0", "Standard", { mode: "RawDeployment", ingress: ENVOY }],
  ["0.15.2", "Serverless", { acknowledge: onNewerKubernetes }],
])(
  "installs the set around KServe %s, its mode spelled %s, and proposes nothing the second time",
  async (version, mode, config) => {
    const session = await freshSession(NAME);
    await useStack(session, "Pulumi.sandbox.yaml", { kserve: { version }, ...config });
    expect((await run(session, "up")).code).toBe(0);
    const { data } = await clients(session).core.readNamespacedConfigMap({
      name: "inferenceservice-config",
      namespace: "kserve",
    });
    expect(parse(data?.["deploy"] ?? "")).toMatchObject({ defaultDeploymentMode: mode });
    expect(
      await clusterObjectNames(session, "serving.kserve.io/v1alpha1", "ClusterServingRuntime"),
    ).toHaveLength(11);
    expect((await run(session, "up", "--expect-no-changes")).code).toBe(0);
  },
);
