import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../config/project-root.ts";
import { PUBLISHED, runProgram } from "../support/program.ts";
import { SecretText } from "../support/pulumi-mocks.ts";
import { catalog } from "../support/settings.ts";
import type { Recording } from "../support/pulumi-mocks.ts";

const GATEWAY_FILE = "gateway-api-1.5.1-standard-install.yaml";
const RELEASE = "kubernetes-cert-manager:index:CertManager";
const helmOptionsOf = (recording: Recording): Record<string, unknown> =>
  recording.get("cert-manager", RELEASE).inputs["helmOptions"] as Record<string, unknown>;

describe("charts from a folder", () => {
  let folder: string;
  let recording: Recording;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "charts-"));
    await mkdir(join(folder, "istiod-1.28.10"));
    await writeFile(join(folder, "kserve-crd-0.20.0.tgz"), "");
    await writeFile(join(folder, GATEWAY_FILE), PUBLISHED);
    recording = await runProgram({ charts: { source: "directory", path: folder } });
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it("are taken unpacked where a folder exists, as archives otherwise", () => {
    const { inputs } = recording.get("istio-istiod");
    expect(inputs["chart"]).toBe(join(folder, "istiod-1.28.10"));
    expect(recording.get("crds-kserve-crd").inputs["chart"]).toBe(
      join(folder, "kserve-crd-0.20.0.tgz"),
    );
  });

  it("have neither version nor repository: the path says all", () => {
    for (const chart of recording.ofType("kubernetes:helm.sh/v4:Chart")) {
      expect(chart.inputs["chart"]).toContain(`${folder}/`);
      expect(chart.inputs).not.toHaveProperty("version");
      expect(chart.inputs).not.toHaveProperty("repositoryOpts");
    }
  });

  it("keep cert-manager's release away from the default repository", () => {
    const options = helmOptionsOf(recording);
    expect(options["chart"]).toBe(join(folder, "cert-manager-1.21.1.tgz"));
    expect(options["repositoryOpts"]).toEqual({ repo: "" });
    expect(options).not.toHaveProperty("version");
  });

  it("start at the program's folder when the path is relative", async () => {
    const relative = await runProgram({
      mode: "RawDeployment",
      ingress: { type: "none" },
      charts: { source: "directory", path: "charts" },
    });
    expect(relative.get("crds-kserve-crd").inputs["chart"]).toBe(
      join(PROJECT_ROOT, "charts", "kserve-crd-0.20.0.tgz"),
    );
  });
});

describe("charts from elsewhere", () => {
  let files: string;
  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), "manifests-"));
    await writeFile(join(files, GATEWAY_FILE), PUBLISHED);
  });
  afterAll(async () => {
    await rm(files, { recursive: true });
  });

  it("come from upstream's repositories by default", async () => {
    const recording = await runProgram();
    expect(recording.get("istio-istiod").inputs).toMatchObject({
      chart: "istiod",
      version: "1.28.10",
      repositoryOpts: { repo: catalog.get("istio", "1.28.10").charts[0]?.repository },
    });
    expect(recording.get("crds-kserve-crd").inputs).toMatchObject({
      chart: "oci://ghcr.io/kserve/charts/kserve-crd",
      version: "v0.20.0",
    });
    expect(recording.get("crds-kserve-crd").inputs).not.toHaveProperty("repositoryOpts");
  });

  it("come from an OCI registry with credentials, the password secret", async () => {
    const charts = {
      source: "oci",
      url: "oci://harbor.test/charts",
      manifests: files,
      username: "robot",
      password: "chart-password",
      plainHttp: true,
    };
    const recording = await runProgram({ charts }, ["charts"]);
    const { inputs, visible } = recording.get("crds-kserve-crd");
    expect(inputs).toMatchObject({
      chart: "oci://harbor.test/charts/kserve-crd",
      version: "v0.20.0",
      plainHttp: true,
      repositoryOpts: { username: "robot", password: "chart-password" },
    });
    expect(visible["repositoryOpts"]).toSatisfy(
      (shown) => shown === SecretText || (shown as { password: string }).password === SecretText,
    );
    const everything = JSON.stringify(recording.resources.map((item) => item.visible));
    expect(everything).not.toContain("chart-password");
  });

  it("give cert-manager's release its chart as a file where it cannot ask the registry", async () => {
    const charts = {
      source: "oci",
      url: "oci://harbor.test/charts",
      manifests: files,
      plainHttp: true,
    };
    const recording = await runProgram({ charts });
    const options = helmOptionsOf(recording);
    expect(options).toMatchObject({
      chart: join(files, "cert-manager-1.21.1.tgz"),
      repositoryOpts: { repo: "" },
    });
    expect(recording.get("crds-cert-manager").inputs["chart"]).toBe(options["chart"]);
  });

  it.each([
    ["oci", "oci://harbor.test/charts", "oci://harbor.test/charts/"],
    ["http", "https://h.test/charts", ""],
  ])("bring the private CA of %s along, each in its own form", async (source, url, prefix) => {
    const login = { username: "robot", password: "secret-1" };
    const charts = { source, url, manifests: files, caFile: "ca.pem", ...login };
    const recording = await runProgram({ charts }, ["charts"]);
    const ca = join(PROJECT_ROOT, "ca.pem");
    const options = helmOptionsOf(recording);
    expect(options["chart"]).toBe(`${prefix}cert-manager`);
    expect(options["repositoryOpts"]).toMatchObject({ caFile: ca, username: "robot" });
    const rendered = recording.get("crds-kserve-crd").inputs["repositoryOpts"];
    expect(rendered).toMatchObject({ username: "robot", caFile: { path: ca } });
    const everything = JSON.stringify(recording.resources.map((item) => item.visible));
    expect(everything).not.toContain("secret-1");
  });

  it("come from an HTTP repository of the stack", async () => {
    const recording = await runProgram({
      charts: { source: "http", url: "https://h.test/charts" },
    });
    const repositoryOpts = { repo: "https://h.test/charts" };
    expect(recording.get("istio-base").inputs).toMatchObject({
      chart: "base",
      version: "1.28.10",
      repositoryOpts,
    });
    expect(helmOptionsOf(recording)).toMatchObject({ chart: "cert-manager", repositoryOpts });
    expect(recording.get("crds-gateway-api").inputs["data"]).toMatchObject({ from: GATEWAY_FILE });
    expect(fetch).toHaveBeenCalledWith(`https://h.test/charts/${GATEWAY_FILE}`, expect.anything());
  });
});
