import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../config/parse.ts";
import { Secret } from "../../../config/secret.ts";
import { getChart, getLayer } from "../../../plan/plan.ts";
import { resolve } from "../../../plan/resolve.ts";
import { catalog, planOf, settingsOf } from "../../support/settings.ts";

const oci = { source: "oci", url: "oci://harbor.test/charts", manifests: "/files" };
const http = { source: "http", url: "https://h.test/charts" };
const login = { username: "robot", password: new Secret("x") };

const problemsOf = (charts: Record<string, unknown>): string[] =>
  resolve(settingsOf({ charts }), catalog)
    .problems.filter(({ code }) => code.startsWith("charts-"))
    .map(({ level, code }) => `${level} ${code}`);
const refused = (charts: Record<string, unknown>): string[] =>
  parseSettings({ mode: "Serverless", charts }).problems.map(
    ({ code, where }) => `${code} ${where}`,
  );
const certManagerChart = (charts: Record<string, unknown>): string =>
  getChart(getLayer(planOf({ charts }), "CertManager"), "controller").location.chart;

describe("the chart of cert-manager's Helm release", () => {
  it.each([
    ["oci://harbor.test/charts/cert-manager", oci],
    ["oci://harbor.test/charts/cert-manager", { ...oci, ...login, caFile: "ca.pem" }],
    ["/files/cert-manager-1.21.1", { ...oci, plainHttp: true }],
    ["/files/cert-manager-1.21.1", { ...oci, caFile: "ca.pem" }],
    ["cert-manager", { ...http, caFile: "ca.pem" }],
  ])("is %s with %j", (chart, charts) => {
    expect(certManagerChart(charts)).toBe(chart);
  });

  it("is as unreachable as the provider makes it, and the report says what to do", () => {
    const manifests = "https://h.test/files";
    expect(problemsOf({ ...oci, manifests, plainHttp: true })).toEqual([
      "block charts-release-oci",
    ]);
    expect(problemsOf({ ...oci, manifests, caFile: "ca.pem" })).toContain(
      "block charts-release-oci",
    );
    expect(problemsOf({ ...oci, manifests })).toEqual([]);
    expect(problemsOf({ ...oci, plainHttp: true })).toEqual([]);
    expect(problemsOf({ ...oci, manifests, ...login, caFile: "ca.pem" })).toEqual([]);
  });
});

describe("the chart source", () => {
  it.each([
    [["config-key-missing kserve:charts.password"], { ...oci, username: "robot" }],
    [["config-key-missing kserve:charts.username"], { ...http, password: new Secret("x") }],
    [["config-value-invalid kserve:charts.caFile"], { ...oci, plainHttp: true, caFile: "ca.pem" }],
    [["config-key-unknown kserve:charts.caFil"], { ...oci, caFil: "ca.pem" }],
    [[], { ...oci, ...login, caFile: "ca.pem" }],
  ])("is refused with %j for %j", (expected, charts) => {
    expect(refused(charts)).toEqual(expected);
  });
});
