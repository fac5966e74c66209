import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../config/project-root.ts";

const SCRIPT = join(PROJECT_ROOT, "components", "charts", "arrange.mjs");
/** A tab in a description: YAML that Go's parser takes and others refuse. */
const CRD = "\nkind: CustomResourceDefinition\nspec:\n  description: |\n    a\tb  \n";
const DEPLOYMENT = "\n# Source: chart/templates/x.yaml\nkind: 'Deployment'\nspec: {kind: Nested}\n";
/** Holds the separator's characters, and a nested kind that is not its own. */
const CONFIG = '\nkind: "ConfigMap"\ndata:\n  text: |\n    kind: Deployment\n    --- not here\n';
const NOTHING = "\n# only a comment\n";
const INPUT = [CRD, DEPLOYMENT, NOTHING, CONFIG].map((text) => `---${text}`).join("");

function arrange(args: readonly string[], input = INPUT): { out: string; status: number | null } {
  const { stdout, status } = spawnSync(process.execPath, [SCRIPT, ...args], {
    input,
    encoding: "utf8",
  });
  return { out: stdout, status };
}

describe("arrange, selecting", () => {
  it("passes on the named kinds, byte for byte", () => {
    expect(arrange(["--only", "CustomResourceDefinition,ConfigMap"])).toEqual({
      out: `---${CRD}---${CONFIG}`,
      status: 0,
    });
  });

  it("passes on all but the named kinds, and no document without a kind", () => {
    expect(arrange(["--except", "CustomResourceDefinition"])).toEqual({
      out: `---${DEPLOYMENT}---${CONFIG}`,
      status: 0,
    });
  });

  it("splits every chart in two without losing or doubling a document", () => {
    const kinds = "Deployment,CustomResourceDefinition";
    const parts = ["--only", "--except"].map((mode) => arrange([mode, kinds]).out);
    expect(parts).toEqual([`---${CRD}---${DEPLOYMENT}`, `---${CONFIG}`]);
  });

  it("takes a first document without separator, and separators with comments", () => {
    const input = "kind: A\n--- # Source: b.yaml\nkind: B\n---  \nkind: A\nx: 1\n";
    expect(arrange(["--only", "A"], input).out).toBe("---kind: A\n---\nkind: A\nx: 1\n");
  });

  it("leaves single objects out by kind and name, whatever else stands in their metadata", () => {
    const named = (kind: string, metadata: string): string =>
      `\napiVersion: v1\nkind: ${kind}\nmetadata:\n${metadata}spec:\n  name: a\n`;
    const a = named("Job", "  annotations:\n    name: b\n  name: a\n");
    const b = named("Job", '  creationTimestamp: null\n  name: "b"\n  labels:\n    name: a\n');
    const otherKind = named("Pod", "    name: a\n");
    const unnamed = "\nkind: Job\n";
    const input = [a, b, otherKind, unnamed].map((text) => `---${text}`).join("");
    expect(arrange(["--leave-out", "Job/a"], input).out).toBe(
      `---${b}---${otherKind}---${unnamed}`,
    );
    expect(arrange(["--only", "Job", "--leave-out", "Job/b,Pod/a"], input).out).toBe(
      `---${a}---${unnamed}`,
    );
    expect(arrange(["--except", "Job", "--leave-out", "Pod/b"], input).out).toBe(`---${otherKind}`);
  });

  it("ends with 2 when called wrongly", () => {
    expect(arrange([])).toEqual({ out: "", status: 2 });
    expect(arrange(["--drop", "A"])).toEqual({ out: "", status: 2 });
    expect(arrange(["--only", "A", "--except", "B"])).toEqual({ out: "", status: 2 });
  });
});
