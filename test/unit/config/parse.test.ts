import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../config/parse.ts";
import { Secret } from "../../../config/secret.ts";

const report = (raw: Record<string, unknown>): string[] =>
  parseSettings({ mode: "Serverless", ...raw }).problems.map(
    (problem) => `${problem.code} ${problem.where}`,
  );
const fixOf = (raw: Record<string, unknown>): string | undefined =>
  parseSettings({ mode: "Serverless", ...raw }).problems[0]?.fix;

describe("parseSettings", () => {
  it("needs nothing but a mode", () => {
    expect(parseSettings({ mode: "RawDeployment" }).settings?.namespaces.kserve).toBe("kserve");
    expect(parseSettings({}).problems.map((problem) => problem.code)).toEqual([
      "config-key-missing",
    ]);
  });

  it("reports everything at once", () => {
    expect(
      report({
        mode: "Knative",
        registry: { host: "http://harbor" },
        knative: { version: 1.2, autoscaling: { minscale: 1 } },
        charts: { source: "ftp" },
      }).sort(),
    ).toEqual([
      "config-key-unknown kserve:knative.autoscaling.minscale",
      "config-value-invalid kserve:charts.source",
      "config-value-invalid kserve:knative.version",
      "config-value-invalid kserve:mode",
      "config-value-invalid kserve:registry.host",
    ]);
  });

  it.each([
    [true, { createGIECRDs: true }],
    [{}, { createGIECRDs: true }],
    [{ createGIECRDs: false }, { createGIECRDs: false }],
    [false, undefined],
    [undefined, undefined],
  ])("takes %j for a feature with settings", (llm, expected) => {
    const features = llm === undefined ? {} : { llm };
    const { settings } = parseSettings({ mode: "Serverless", features });
    expect(settings).toBeDefined();
    expect(settings?.features.llm).toEqual(expected);
  });

  it("says where a feature's settings are wrong", () => {
    expect(report({ features: { llm: "yes" } })).toEqual([
      "config-value-invalid kserve:features.llm",
    ]);
    expect(report({ features: { llm: { createGIECRDs: 1 } } })).toEqual([
      "config-value-invalid kserve:features.llm.createGIECRDs",
    ]);
    expect(fixOf({ features: { llm: { createGieCrds: true } } })).toBe(
      "did you mean kserve:features.llm.createGIECRDs?",
    );
  });

  it.each([
    [{ knativ: {} }, "did you mean kserve:knative?"],
    [
      { knative: { autoscaling: { minscale: 1 } } },
      "did you mean kserve:knative.autoscaling.minScale?",
    ],
    [
      { charts: { source: "oci", url: "oci://h/p", manifests: "m", plainHTTP: true } },
      "did you mean kserve:charts.plainHttp?",
    ],
    [
      { acknowledge: [{ rule: "compat-a-b", reason: "because we must", reasons: "x" }] },
      "did you mean kserve:acknowledge[0].reason?",
    ],
    [{ somethingElseEntirely: 1 }, "remove kserve:somethingElseEntirely"],
  ])("names the nearest known key for %j", (raw, fix) => {
    expect(fixOf(raw)).toBe(fix);
  });

  it("says what is allowed for a wrong value", () => {
    const [problem] = parseSettings({ mode: "serverless" }).problems;
    expect(problem).toMatchObject({
      found: '"serverless"',
      allowed: '"Serverless" | "RawDeployment" | "ModelMesh"',
    });
  });

  it("freezes what it gives", () => {
    const { settings } = parseSettings({ mode: "Serverless" });
    expect(Object.isFrozen(settings?.knative.autoscaling)).toBe(true);
  });

  it("takes a password only as a secret, and never echoes it", () => {
    const pullSecret = { username: "robot", password: "hunter2" };
    const result = parseSettings({ mode: "Serverless", registry: { host: "h:1", pullSecret } });
    expect(result.problems.map((problem) => problem.where)).toEqual([
      "kserve:registry.pullSecret.password",
    ]);
    expect(JSON.stringify(result)).not.toContain("hunter2");
    const wrapped = { ...pullSecret, password: new Secret("hunter2") };
    expect(
      parseSettings({ mode: "Serverless", registry: { host: "h:1", pullSecret: wrapped } })
        .problems,
    ).toEqual([]);
  });

  it("does not echo a secret through a mistake beside it or above it", () => {
    const raws = [
      { registry: { host: "h:1", pullSecret: { password: "hunter2" } } },
      { registry: [{ pullSecret: { password: "hunter2" } }] },
      { registry: { host: 1, pullSecret: { username: "", password: "hunter2", extra: 1 } } },
    ];
    for (const raw of raws)
      expect(JSON.stringify(parseSettings({ mode: "Serverless", ...raw }))).not.toContain(
        "hunter2",
      );
  });

  it("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("mode", "registry", "knative", "charts", "x"),
          fc.jsonValue(),
        ),
        (raw) => {
          const result = parseSettings(raw);
          expect(result.settings === undefined).toBe(result.problems.length > 0);
        },
      ),
    );
  });
});

describe("Secret", () => {
  it("prints as [secret] everywhere", () => {
    const secret = new Secret("hunter2");
    expect(
      [
        String(secret),
        `${secret.toString()}`,
        JSON.stringify({ secret }),
        inspect({ secret }),
      ].join(),
    ).not.toContain("hunter2");
    expect(secret.reveal()).toBe("hunter2");
    expect(() => new Secret(undefined).reveal()).toThrow("encrypted");
  });
});
