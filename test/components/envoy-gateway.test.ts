import { beforeAll, describe, expect, it } from "vitest";
import { runProgram } from "../support/program.ts";
import type { Recording } from "../support/pulumi-mocks.ts";
import { SecretText } from "../support/pulumi-mocks.ts";

const ENVOY = { mode: "RawDeployment", ingress: { type: "envoy", domain: "ml.test" } };
const NAMESPACE = "envoy-gateway-system";

describe("EnvoyGateway", () => {
  let recording: Recording;
  beforeAll(async () => {
    recording = await runProgram(ENVOY);
  });
  const specOf = (name: string): unknown => recording.get(name).inputs["spec"];

  it("tells what it is and what it stands on", () => {
    const layer = recording.get("envoy-gateway");
    expect(layer.type).toBe("kserve-platform:layer:EnvoyGateway");
    expect(layer.inputs).toMatchObject({
      product: "envoy-gateway",
      version: "1.8.3",
      ingress: "envoy",
      standsOn: { "cert-manager": "1.21.1", "gateway-api": "1.5.1" },
    });
    expect(layer.dependsOn).toEqual(
      expect.arrayContaining(["crds-gateway-api", "crds-gateway-crds-helm", "cert-manager"]),
    );
  });

  it("takes only definitions from the one chart, and leaves out the folder of the other", () => {
    const crds = recording.get("crds-gateway-crds-helm").inputs;
    expect(crds).toMatchObject({
      namespace: NAMESPACE,
      version: "v1.8.3",
      values: { crds: { gatewayAPI: { enabled: false }, envoyGateway: { enabled: true } } },
    });
    expect(recording.has("crds-gateway-helm")).toBe(false);
    const controller = recording.get("envoy-gateway-controller").inputs;
    expect(controller).toMatchObject({ skipCrds: true, namespace: NAMESPACE });
    expect(controller["postRenderer"]).toMatchObject({
      args: [expect.stringContaining("arrange.mjs") as string, "--namespace", NAMESPACE],
    });
  });

  it("starts the controller behind its certificates and its secret", () => {
    const { objectsDependOn } = recording.get("envoy-gateway-controller");
    expect(objectsDependOn).toEqual(
      expect.arrayContaining(["envoy-gateway-certs-ready", "envoy-gateway-certs-hmac"]),
    );
    const ready = recording.get("envoy-gateway-certs-ready");
    expect(ready.dependsOn).toEqual([
      "envoy-gateway-certs-certificate-envoy-gateway",
      "envoy-gateway-certs-certificate-envoy",
      "envoy-gateway-certs-certificate-envoy-rate-limit",
    ]);
    expect(ready.hooks.create).toEqual(["await-envoy-gateway-certs"]);
  });

  it.each([
    [
      "envoy-gateway",
      [
        "envoy-gateway",
        `envoy-gateway.${NAMESPACE}`,
        `envoy-gateway.${NAMESPACE}.svc`,
        `envoy-gateway.${NAMESPACE}.svc.cluster.local`,
      ],
    ],
    ["envoy", [`*.${NAMESPACE}`]],
    ["envoy-rate-limit", [`*.${NAMESPACE}`]],
  ])("issues the certificate %s, in the secret that the hook would write", (secret, dnsNames) => {
    const certificate = recording.get(`envoy-gateway-certs-certificate-${secret}`);
    expect(certificate.inputs).toMatchObject({
      metadata: { name: secret, namespace: NAMESPACE },
      spec: {
        secretName: secret,
        dnsNames,
        issuerRef: { kind: "Issuer", name: "envoy-gateway-ca" },
      },
    });
    expect(certificate.dependsOn).toEqual(["envoy-gateway-certs-issuer-envoy-gateway-ca"]);
  });

  it("signs them by a CA of its own, which keeps its key", () => {
    expect(specOf("envoy-gateway-certs-issuer-envoy-gateway-ca")).toEqual({
      ca: { secretName: "envoy-gateway-ca" },
    });
    expect(specOf("envoy-gateway-certs-certificate-envoy-gateway-ca")).toMatchObject({
      isCA: true,
      secretName: "envoy-gateway-ca",
      privateKey: { rotationPolicy: "Never" },
      issuerRef: { name: "envoy-gateway-selfsigned" },
    });
  });

  it("makes the HMAC secret, 32 bytes that the engine never sees in clear", () => {
    const { inputs, visible } = recording.get("envoy-gateway-certs-hmac");
    expect(inputs).toMatchObject({ metadata: { name: "envoy-oidc-hmac", namespace: NAMESPACE } });
    const { "hmac-secret": value = "" } = inputs["data"] as Record<string, string>;
    expect(Buffer.from(value, "base64")).toHaveLength(32);
    // The provider's SDK turns the whole of `data` into a secret.
    expect(JSON.stringify(visible)).toContain(SecretText);
    expect(JSON.stringify(visible)).not.toContain(value);
  });

  it("creates the class behind the controller, accepted, with the proxies' settings", () => {
    const gatewayClass = recording.get("envoy-gateway-class");
    expect(gatewayClass.inputs).toMatchObject({
      metadata: {
        name: "envoy",
      },
      spec: {
        controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
        parametersRef: {
          group: "gateway.envoyproxy.io",
          kind: "EnvoyProxy",
          name: "kserve",
          namespace: NAMESPACE,
        },
      },
    });
    expect(gatewayClass.dependsOn).toEqual(
      expect.arrayContaining(["envoy-gateway-controller-ready", "envoy-gateway-proxy"]),
    );
    expect(specOf("envoy-gateway-proxy")).toMatchObject({ provider: { type: "Kubernetes" } });
  });

  it("places the Gateway last, once: the Gateway API layer has none", () => {
    expect(recording.get("envoy-gateway-gateway").dependsOn).toEqual([
      "envoy-gateway-class-ready",
      "envoy-gateway-certificate-ready",
    ]);
    expect(recording.get("envoy-gateway-class-ready").dependsOn).toEqual(["envoy-gateway-class"]);
    expect(specOf("envoy-gateway-gateway")).toMatchObject({ gatewayClassName: "envoy" });
    expect(specOf("envoy-gateway-certificate")).toMatchObject({
      dnsNames: ["ml.test", "*.ml.test"],
    });
    expect(recording.childrenOf(recording.get("gateway-api"))).toEqual([]);
  });

  it("comes before KServe", () => {
    expect(recording.get("kserve").inputs).toMatchObject({
      standsOn: { "envoy-gateway": "1.8.3" },
    });
    expect(recording.get("kserve").dependsOn).toContain("envoy-gateway-gateway");
  });

  it("keeps the class where the stack brings its own Gateway", async () => {
    const own = await runProgram({ ...ENVOY, ingress: { type: "envoy", gateway: false } });
    expect(own.has("envoy-gateway-class")).toBe(true);
    expect(own.has("envoy-gateway-gateway")).toBe(false);
    expect(own.has("envoy-gateway-certificate")).toBe(false);
  });

  it("does not exist with another ingress", async () => {
    const other = await runProgram({ mode: "RawDeployment" });
    expect(other.resources.filter((item) => item.name.startsWith("envoy"))).toEqual([]);
  });
});

describe("class and Gateway", () => {
  it("are the same objects for the engine, whichever layer they are in", async () => {
    const envoy = await runProgram(ENVOY);
    const istio = await runProgram({ mode: "RawDeployment", ingress: { type: "istio" } });
    for (const role of ["class", "gateway", "certificate", "issuer"]) {
      const here = envoy.get(`envoy-gateway-${role}`);
      const there = istio.get(`gateway-api-${role}`);
      expect(here.aliases, role).toContainEqual(there.urn);
      expect(there.aliases, role).toContainEqual(here.urn);
    }
  });
});
