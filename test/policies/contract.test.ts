import { describe, expect, it } from "vitest";
import { compatibilityPolicy } from "../../policies/compatibility.ts";
import { registryPolicy } from "../../policies/registry.ts";

describe("the policy pack's contract", () => {
  // Names, levels and configuration are referred to from outside; VERSIONING.md says how they may change.
  it.each([
    [compatibilityPolicy, "compatibility-layer-versions", ["allowAcknowledgements"]],
    [registryPolicy, "registry-image-allowed", ["exempt", "registries"]],
  ])("keeps name, level and configuration keys of %o", (policy, name, keys) => {
    expect(policy.name).toBe(name);
    expect(policy.enforcementLevel).toBe("mandatory");
    expect(policy.description).toMatch(/^[A-Z].*\.$/);
    expect(Object.keys(policy.configSchema?.properties ?? {}).sort()).toEqual(keys);
    expect(policy.configSchema?.required ?? []).toEqual([]);
  });
});
