import semver from "semver";
import { describe, expect, it } from "vitest";
import { RULES } from "../../../compat/rules/index.ts";

describe("RULES", () => {
  it.each(RULES.map((rule) => [rule.id, rule] as const))("%s is well formed", (id, rule) => {
    expect(id).toMatch(/^compat-[a-z0-9]+(-[a-z0-9]+)+$/);
    expect(rule.source).toMatch(/[\w.-]+\/[\w.-]+[@#]/);
    expect(rule.because.length).toBeGreaterThan(20);
    const ranges = [
      ...Object.values(rule.when),
      ...(rule.requires === undefined ? [] : [rule.requires.range]),
    ];
    expect(ranges.length).toBeGreaterThan(0);
    for (const range of ranges) expect(semver.validRange(range), range).not.toBeNull();
  });
});
