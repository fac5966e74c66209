import { describe, expect, it } from "vitest";
import { sweepCertManager, sweepIstio, sweepKServe } from "../../components/leftovers.ts";
import { fakeApi } from "../support/fake-api.ts";
import { runProgram } from "../support/program.ts";

const deletions = (calls: readonly string[]): string[] =>
  calls.filter((call) => call.startsWith("DELETE")).map((call) => call.slice("DELETE ".length));

describe("Leftovers", () => {
  it("is in the state before what leaves something, so that it goes after that", async () => {
    const recording = await runProgram();
    expect(recording.get("leftovers-IstioMesh").inputs).toEqual({
      input: { of: "istiod", namespace: "istio-system" },
    });
    expect(recording.get("kserve").dependsOn).toContain("leftovers-KServeCore");
    expect(recording.get("istio").dependsOn).toContain("leftovers-IstioMesh");
    expect(recording.get("leftovers-CertManager").inputs).toEqual({
      input: { of: "cert-manager", namespace: "kube-system" },
    });
    expect(recording.get("leftovers-KServeCore").inputs).toEqual({ input: { of: "kserve" } });
    expect(recording.get("kserve").dependsOn).toContain("leftovers-KServeCore");
    for (const name of ["leftovers-IstioMesh", "leftovers-CertManager", "leftovers-KServeCore"])
      expect(recording.get(name).hooks.delete).toEqual(["sweep"]);
  });

  it("has nothing for layers that leave nothing", async () => {
    const recording = await runProgram({ mode: "RawDeployment", ingress: { type: "none" } });
    expect(recording.childrenOf(recording.get("leftovers")).toSorted()).toEqual([
      "leftovers-CertManager",
      "leftovers-KServeCore",
    ]);
  });

  it("looks for leases where the stack's values put them", async () => {
    const values = { global: { leaderElection: { namespace: "cert-manager" } } };
    const recording = await runProgram({ certManager: { values } });
    expect(recording.get("leftovers-CertManager").inputs).toHaveProperty(
      "input.namespace",
      "cert-manager",
    );
  });
});

describe("sweepIstio", () => {
  const map = (namespace: string, data: object, name = "istio-ca-root-cert"): object => ({
    metadata: { name, namespace },
    data,
  });
  const gatewayClass = (name: string, manager: string, controllerName = "istio.io/x"): object => ({
    metadata: { name, managedFields: [{ manager }] },
    spec: { controllerName },
  });

  it("removes istiod's root certificates from every namespace, and nobody else's ConfigMaps", async () => {
    const api = fakeApi({
      "/api/v1/configmaps": {
        items: [
          map("default", { "root-cert.pem": "x" }),
          map("team-a", { "root-cert.pem": "x" }),
          map("team-b", { "root-cert.pem": "x", mine: "y" }),
          map("team-c", { "root-cert.pem": "x" }, "another"),
        ],
      },
    });
    await sweepIstio(api);
    expect(api.calls[0]).toBe(
      "GET /api/v1/configmaps?labelSelector=istio.io%2Fconfig%3Dtrue&fieldSelector=metadata.name%3Distio-ca-root-cert",
    );
    expect(deletions(api.calls)).toEqual([
      "/api/v1/namespaces/default/configmaps/istio-ca-root-cert",
      "/api/v1/namespaces/team-a/configmaps/istio-ca-root-cert",
    ]);
  });

  it("removes istiod's lists of revoked certificates", async () => {
    const api = fakeApi({
      "/api/v1/configmaps": {
        items: [
          map("default", { "ca-crl.pem": "" }, "istio-ca-crl"),
          map("team-a", { "ca-crl.pem": "", mine: "y" }, "istio-ca-crl"),
        ],
      },
    });
    await sweepIstio(api);
    expect(deletions(api.calls)).toEqual(["/api/v1/namespaces/default/configmaps/istio-ca-crl"]);
  });

  it("removes the Gateway classes that istiod made and nobody has touched", async () => {
    const classes = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
    const api = fakeApi({
      [classes]: {
        items: [
          gatewayClass("istio", "pilot-discovery"),
          gatewayClass("istio-remote", "kubectl"),
          gatewayClass("mine", "pilot-discovery"),
          gatewayClass("istio-waypoint", "pilot-discovery", "example.org/other"),
        ],
      },
    });
    await sweepIstio(api);
    expect(deletions(api.calls)).toEqual([`${classes}/istio`]);
  });
});

describe("sweepKServe", () => {
  it("removes the copies of the CA that KServe wrote, and none that somebody has changed", async () => {
    const copy = (namespace: string, managers: readonly string[], data = {}): object => ({
      metadata: {
        name: "global-ca-bundle",
        namespace,
        managedFields: managers.map((manager) => ({ manager })),
      },
      data: { "cabundle.crt": "x", ...data },
    });
    const api = fakeApi({
      "/api/v1/configmaps": {
        items: [
          copy("models", ["manager"]),
          copy("team-a", ["manager", "kubectl"]),
          copy("team-b", ["manager"], { mine: "y" }),
          copy("team-c", []),
        ],
      },
    });
    await sweepKServe(api);
    expect(api.calls[0]).toBe(
      "GET /api/v1/configmaps?fieldSelector=metadata.name%3Dglobal-ca-bundle",
    );
    expect(deletions(api.calls)).toEqual(["/api/v1/namespaces/models/configmaps/global-ca-bundle"]);
  });
});

describe("sweepCertManager", () => {
  const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
  const now = new Date().toISOString();

  it("removes leases that were given up or have lapsed, and leaves one that is held", async () => {
    const held = { leaseDurationSeconds: 60, renewTime: now };
    const api = fakeApi({
      [`${LEASES}/cert-manager-controller`]: { spec: { ...held, holderIdentity: "" } },
      [`${LEASES}/cert-manager-cainjector-leader-election`]: {
        spec: { ...held, holderIdentity: "another" },
      },
      [`${LEASES}/cert-manager-cainjector-leader-election-core`]: {
        spec: { ...held, holderIdentity: "dead", renewTime: "2020-01-01T00:00:00.000000Z" },
      },
    });
    await sweepCertManager(api, "kube-system", 0);
    expect(deletions(api.calls).toSorted()).toEqual([
      `${LEASES}/cert-manager-cainjector-leader-election-core`,
      `${LEASES}/cert-manager-controller`,
    ]);
  });

  it("asks for nothing more where there are none", async () => {
    const api = fakeApi({});
    await sweepCertManager(api, "kube-system");
    expect(deletions(api.calls)).toEqual([]);
  });
});
