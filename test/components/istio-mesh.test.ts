import { beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../support/program.ts";
import type { Recording } from "../support/pulumi-mocks.ts";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const SERVICE = "kubernetes:core/v1:Service";

describe("IstioMesh in Serverless mode", () => {
  let recording: Recording;
  beforeAll(async () => {
    recording = await runProgram({
      istio: { gateway: { replicas: 2, serviceType: "NodePort", resources: LIMITS } },
    });
  });

  it("tells what it is and what it stands on", () => {
    const layer = recording.get("istio");
    expect(layer.type).toBe("kserve-platform:layer:IstioMesh");
    expect(layer.inputs).toMatchObject({
      product: "istio",
      version: "1.28.10",
      standsOn: { "gateway-api": "1.5.1" },
    });
    expect(layer.dependsOn).toEqual(expect.arrayContaining(["crds-base", "crds-gateway-api"]));
    expect(layer.dependsOn).not.toContain("cert-manager");
  });

  it("installs base and istiod side by side, and the gateway after istiod", () => {
    expect(recording.get("istio-istiod").objectsDependOn).toEqual([]);
    expect(recording.get("istio-gateway", "kserve-platform:layer:IstioGateway").dependsOn).toEqual([
      "istio-istiod-ready",
    ]);
    expect(recording.get("istio-istiod").inputs).toMatchObject({
      chart: "istiod",
      version: "1.28.10",
      namespace: "istio-system",
      resourcePrefix: "istio-istiod",
    });
  });

  it("renders base's definitions as they will be applied, and cheaply where they are left out", () => {
    const labelled = (name: string): unknown =>
      (recording.get(name).inputs["values"] as { base?: object }).base;
    expect(labelled("istio-base")).toMatchObject({ enableCRDTemplates: false });
    expect(labelled("crds-base") ?? {}).not.toHaveProperty("enableCRDTemplates");
  });

  it("leaves the gateway's image to the injector", () => {
    const { inputs, dependsOn } = recording.get("istio-gateway", DEPLOYMENT);
    expect(inputs).toMatchObject({
      metadata: { namespace: "istio-system" },
      spec: {
        replicas: 2,
        template: {
          metadata: {
            annotations: { "inject.istio.io/templates": "gateway" },
            labels: { istio: "ingressgateway", "sidecar.istio.io/inject": "true" },
          },
          spec: {
            serviceAccountName: "istio-ingressgateway-service-account",
            containers: [{ name: "istio-proxy", image: "auto", resources: LIMITS }],
          },
        },
      },
    });
    expect(dependsOn).toEqual(["istio-gateway"]);
  });

  it("waits for the gateway by itself: a proxy that was not injected is told within two minutes", () => {
    expect(recording.get("istio-gateway", DEPLOYMENT).inputs["metadata"]).toMatchObject({
      annotations: { "pulumi.com/skipAwait": "true" },
    });
    const ready = recording.get("istio-gateway-ready");
    expect(ready.dependsOn).toEqual(["istio-gateway"]);
    expect(ready.hooks.create).toEqual(["await-istio-gateway"]);
  });

  it("opens 80 and 443 on a Service of the stack's type, and waits for no address", () => {
    const { inputs } = recording.get("istio-gateway", SERVICE);
    const { spec } = inputs as { spec: { ports: { port: number }[]; selector: object } };
    expect(inputs).toMatchObject({
      metadata: {
        name: "istio-ingressgateway",
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: { type: "NodePort", selector: { istio: "ingressgateway" } },
    });
    expect(spec.ports.map((port) => port.port)).toEqual([15021, 80, 443]);
  });

  it("lets the gateway read the TLS secrets of its namespace, and no more", () => {
    const role = recording.ofType("kubernetes:rbac.authorization.k8s.io/v1:Role");
    expect(role.map((item) => item.inputs["rules"])).toEqual([
      [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "watch", "list"] }],
    ]);
    expect(recording.ofType("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")).toEqual([]);
  });
});

describe("IstioMesh in RawDeployment mode", () => {
  it("has no ingress gateway: the Gateway API brings its own", async () => {
    const recording = await runProgram({ mode: "RawDeployment", ingress: { type: "istio" } });
    const children = recording.childrenOf(recording.get("istio"));
    expect(children.toSorted()).toEqual(["istio-base", "istio-istiod", "istio-istiod-ready"]);
    expect(recording.ofType(DEPLOYMENT)).toEqual([]);
  });

  it("does not exist with another ingress", async () => {
    const recording = await runProgram({ mode: "RawDeployment" });
    expect(recording.resources.filter((item) => item.name.startsWith("istio"))).toEqual([]);
  });
});

const LIMITS = { limits: { memory: "1Gi" } };
