import { describe, expect, it } from "vitest";
import { runProgram } from "../support/program.ts";
import type { Recording } from "../support/pulumi-mocks.ts";

const RAW = { mode: "RawDeployment" };
const specOf = (recording: Recording, name: string): unknown => recording.get(name).inputs["spec"];

describe("GatewayApi", () => {
  it("tells what it is and which cert-manager it stands on", async () => {
    const layer = (await runProgram()).get("gateway-api");
    expect(layer.type).toBe("kserve-platform:layer:GatewayApi");
    expect(layer.inputs).toMatchObject({
      product: "gateway-api",
      version: "1.5.1",
      mode: "Serverless",
      ingress: "istio",
      standsOn: { "cert-manager": "1.21.1" },
    });
    expect(layer.dependsOn).toEqual(expect.arrayContaining(["crds-gateway-api", "cert-manager"]));
  });

  it.each([
    ["kourier", { ingress: { type: "kourier" } }],
    ["an ingress class", { ...RAW, ingress: { type: "ingress-class" } }],
    ["no ingress", { ...RAW, ingress: { type: "none" } }],
  ])("does not exist with %s", async (_name, raw) => {
    const recording = await runProgram(raw);
    expect(recording.has("gateway-api")).toBe(false);
    expect(recording.resources.filter((item) => item.type.includes("gateway"))).toEqual([]);
  });

  it("creates a Gateway with HTTP on 80, HTTPS on 443 and the certificate", async () => {
    const recording = await runProgram({ ...RAW, ingress: { className: "envoy" } });
    const gateway = recording.get("gateway-api-gateway");
    const allowedRoutes = { namespaces: { from: "All" } };
    expect(gateway.inputs["metadata"]).toMatchObject({
      name: "kserve-ingress-gateway",
      namespace: "kserve",
    });
    expect(gateway.inputs["spec"]).toEqual({
      gatewayClassName: "envoy",
      listeners: [
        { name: "http", protocol: "HTTP", port: 80, allowedRoutes },
        {
          name: "https",
          protocol: "HTTPS",
          port: 443,
          allowedRoutes,
          tls: {
            mode: "Terminate",
            certificateRefs: [{ kind: "Secret", name: "kserve-ingress-tls" }],
          },
        },
      ],
    });
    expect(gateway.dependsOn).toEqual(["gateway-api-certificate-ready"]);
    const ready = recording.get("gateway-api-certificate-ready");
    expect(ready.dependsOn).toEqual(["gateway-api-certificate"]);
    expect(ready.hooks.create).toEqual(["await-gateway-api-certificate"]);
  });

  it("issues the certificate that the Gateway names, for the domain and all below", async () => {
    const recording = await runProgram({ ingress: { type: "istio", domain: "ml.test" } });
    const certificate = recording.get("gateway-api-certificate");
    expect(certificate.inputs).toMatchObject({
      metadata: { name: "kserve-ingress-tls", namespace: "kserve" },
      spec: {
        secretName: "kserve-ingress-tls",
        dnsNames: ["ml.test", "*.ml.test"],
        issuerRef: { group: "cert-manager.io", kind: "Issuer", name: "kserve-ingress-selfsigned" },
      },
    });
    expect(certificate.dependsOn).toEqual(["gateway-api-issuer"]);
    expect(specOf(recording, "gateway-api-issuer")).toEqual({ selfSigned: {} });
  });

  it("asks the stack's own issuer and makes none", async () => {
    const recording = await runProgram({ ingress: { issuer: { name: "corporate" } } });
    expect(specOf(recording, "gateway-api-certificate")).toMatchObject({
      issuerRef: { group: "cert-manager.io", kind: "ClusterIssuer", name: "corporate" },
    });
    expect(recording.has("gateway-api-issuer")).toBe(false);
  });

  it("creates the class of Istio, and another one only for a named controller", async () => {
    expect(specOf(await runProgram(), "gateway-api-class")).toEqual({
      controllerName: "istio.io/gateway-controller",
    });
    expect((await runProgram(RAW)).has("gateway-api-class")).toBe(false);
    const ingress = { className: "mine", controllerName: "example.org/controller" };
    const own = (await runProgram({ ...RAW, ingress })).get("gateway-api-class");
    expect(own.inputs).toMatchObject({
      metadata: { name: "mine" },
      spec: { controllerName: "example.org/controller" },
    });
  });

  it("leaves out Gateway, class and certificate where the stack brings its own", async () => {
    const recording = await runProgram({ ...RAW, ingress: { gateway: false } });
    expect(recording.childrenOf(recording.get("gateway-api"))).toEqual([]);
  });
});
