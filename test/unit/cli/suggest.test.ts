import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseDay } from "../../../cli/as-of.ts";
import { run } from "../../../cli/main.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
let output = "";

beforeEach(() => {
  output = "";
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((text) => {
      output += String(text);
      return true;
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("platform suggest", () => {
  it("prints complete sets as a table", async () => {
    expect(await run(["suggest", "--kubernetes", "1.30", "--kserve", "0.15"])).toBe(0);
    expect(output).toMatch(
      /KSERVE +KNATIVE +OPERATOR +ISTIO +GATEWAY API +CERT-MANAGER +KUBERNETES/,
    );
    expect(output).toMatch(/1 +0\.15\.2 +1\.16\.3 +1\.16\.6 +1\.23\.2 +1\.2\.1 +1\.17\.4 +1\.30/);
  });

  it("prints the same as JSON", async () => {
    await run(["suggest", "--kserve", "0.20", "--limit", "1", "--json"]);
    expect(JSON.parse(output)).toMatchObject([{ name: "kserve-0.20", evidence: "tested" }]);
  });

  it("says so, with its exit code, when only broken sets are left or none at all", async () => {
    expect(await run(["suggest", "--kserve", "0.20", "--istio", "1.17"])).toBe(1);
    expect(output).toContain("compat-kserve-istio");
    expect(await run(["suggest", "--kserve", "7"])).toBe(1);
    expect(output).toContain("No release in the catalog matches");
  });

  it("refuses an unknown mode as wrong use", async () => {
    expect(await run(["suggest", "--mode", "Serverles"])).toBe(2);
    expect(output).toContain("ModelMesh");
  });
});

describe("platform check --as-of", () => {
  it("judges dated rules for that day", async () => {
    const stack = join(ROOT, "Pulumi.online.yaml");
    expect(await run(["check", stack, "--as-of", "2026-04-20"])).toBe(0);
    expect(output).toContain("no problems");
    expect(output).not.toContain("end-of-life");
    await run(["check", stack, "--as-of", "2026-07-01"]);
    expect(output).toContain("no problems, 2 warnings");
  });

  it.each(["2027-13-01", "2027-02-30", "tomorrow", "2027-1-1"])("refuses %s", (text) => {
    expect(() => parseDay(text)).toThrow("2027-01-31");
  });
});
