import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyDocuments, deleteDocuments } from "../../components/crds/apply-documents.ts";
import type { InTurn } from "../../components/crds/apply-documents.ts";
import type { Answer, ClusterApi } from "../../components/cluster-api.ts";
import { ClusterConnection } from "../../components/cluster-connection.ts";
import { CrdInstaller } from "../../components/crds/crd-installer.ts";
import { handoverPlace, takeHandover } from "../../components/crds/handover.ts";
import { digestOf, splitDocuments } from "../../components/crds/documents.ts";
import { PUBLISHED, runProgram } from "../support/program.ts";

const CHART = "kubernetes:helm.sh/v4:Chart";
const SCRIPT = join(import.meta.dirname, "..", "..", "components", "crds", "bundle-crds.mjs");

/** A definition as charts write it, with what trips parsers: a tab, a comment, a name that lies deeper. */
const definition = (plural: string): string => `
# Source: a chart
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  labels:
    name: deeper
  annotations: {}
  name: "${plural}.example.org"
spec:
  description: |-
    a\ttab\there
  names: { plural: ${plural} }
`;

describe("CustomResourceDefinitions", () => {
  it("holds the CRDs of all layers, side by side, after the namespaces", async () => {
    const recording = await runProgram();
    const component = recording.get("crds");
    expect(component.inputs["releases"]).toEqual({
      "cert-manager": "1.21.1",
      "gateway-api": "1.5.1",
      istio: "1.28.10",
      "knative-serving": "1.20.2",
      kserve: "0.20.0",
    });
    const children = recording.childrenOf(component);
    expect(children.toSorted()).toEqual([
      "crds-base",
      "crds-cert-manager",
      "crds-gateway-api",
      "crds-knative-operator",
      "crds-kserve-crd",
    ]);
    for (const child of children)
      expect(recording.get(child).dependsOn.every((name) => name.startsWith("namespace-"))).toBe(
        true,
      );
  });

  it("leaves out of a record what another chart brings", async () => {
    await runProgram();
    const names = ["ours", "shared"].map(definition).map((text) => `---${text}`);
    const installer = new CrdInstaller(new ClusterConnection({}));
    const leaveOut = ["CustomResourceDefinition/shared.example.org"];
    const [ours = "", shared = ""] = names;
    const kept = installer.remember("a chart", ours + shared, { leaveOut });
    expect(kept).toEqual(installer.remember("a chart", ours));
    expect(kept.objects).toContain("ours.example.org");
    expect(kept.objects).not.toContain("shared");
  });

  it("lets no other chart of a layer bring CRDs", async () => {
    const recording = await runProgram();
    for (const name of ["istio-base", "knative-operator"]) {
      const { inputs } = recording.get(name, CHART);
      expect(inputs["postRenderer"]).toMatchObject({
        args: expect.arrayContaining(["--except", "CustomResourceDefinition"]) as unknown[],
      });
    }
  });

  it("keeps of a published file what it was and what it held, not the schemas", async () => {
    const record = (await runProgram()).get("crds-gateway-api");
    expect(record.inputs).toMatchObject({
      metadata: { name: "crds-gateway-api", namespace: "kserve" },
      data: {
        from: "gateway-api-1.5.1-standard-install.yaml",
        sha256: createHash("sha256").update(PUBLISHED.trim()).update("\n---\n").digest("hex"),
        objects:
          "apiextensions.k8s.io/v1 CustomResourceDefinition gateways.gateway.networking.k8s.io\n",
      },
    });
    expect(record.hooks).toEqual({ create: ["apply-crds"], update: ["apply-crds"], delete: [] });
  });

  it("deletes what it brought only where the stack says so", async () => {
    const recording = await runProgram({ gatewayApi: { deleteCrdsOnDestroy: true } });
    expect(recording.get("crds-gateway-api").hooks.delete).toEqual(["delete-crds"]);
  });

  it("reports a file that is not there, with the place where it should be", async () => {
    const charts = { source: "directory", path: "/air/gap" };
    await expect(runProgram({ charts })).rejects.toThrow(
      /crds-file-missing[^]*\/air\/gap\/gateway-api-1\.5\.1-standard-install\.yaml/,
    );
  });
});

describe("bundle-crds", () => {
  /** What the script leaves for the program, and what it says to Helm. */
  const run = (text: string): { left: string; said: unknown } => {
    const args = [SCRIPT, "crds-x", handoverPlace("crds-x")];
    const said = execFileSync(process.execPath, args, { input: text, stdio: "pipe" }).toString();
    return { left: takeHandover("crds-x"), said: JSON.parse(said) };
  };

  it("keeps the definitions of a chart byte for byte and leaves out the rest", () => {
    const other = "\napiVersion: v1\nkind: Service\nmetadata:\n  name: s\n";
    const { left, said } = run(`---${definition("as")}---${other}---${definition("bs")}`);
    expect(left).toBe(`---${definition("as")}---${definition("bs")}`);
    expect(said).toEqual({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "crds-x" } });
  });

  it("fails on a chart without any: something else would be installed than was planned", () => {
    expect(() => run("apiVersion: v1\nkind: Service\n")).toThrow(/no CustomResourceDefinition/);
  });

  it("is told a place that only this user can read, and that is gone with the process", () => {
    const module = join(SCRIPT, "..", "handover.ts");
    const lines = `
      const { handoverPlace } = await import(${JSON.stringify(module)});
      const { statSync } = await import("node:fs");
      const { dirname } = await import("node:path");
      const place = handoverPlace("x");
      console.log(JSON.stringify([place, statSync(dirname(place)).mode & 0o777]));`;
    const args = ["--input-type=module", "--eval", lines];
    const [place, mode] = JSON.parse(execFileSync(process.execPath, args).toString()) as [
      string,
      number,
    ];
    expect(mode).toBe(0o700);
    expect(existsSync(dirname(place))).toBe(false);
  });
});

describe("splitDocuments", () => {
  it("finds every object whatever stands around it", () => {
    const name = fc.stringMatching(/^[a-z]{1,12}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), (plurals) => {
        const documents = splitDocuments(
          plurals.map((plural) => `---${definition(plural)}`).join(""),
        );
        expect(documents.map((document) => document.name)).toEqual(
          plurals.map((plural) => `${plural}.example.org`),
        );
        expect(digestOf(documents)).toBe(digestOf(documents.toReversed()));
      }),
    );
  });

  it("gives another digest for another text", () => {
    expect(digestOf(splitDocuments(definition("as")))).not.toBe(
      digestOf(splitDocuments(definition("as").replace("tab", "tap"))),
    );
  });
});

describe("applyDocuments", () => {
  const atOnce: InTurn = (work) => work();

  /** Answers as an API server that refuses some names and serves a definition at the second question. */
  function fakeApi(refused: readonly string[] = []): ClusterApi & { readonly calls: string[] } {
    const calls: string[] = [];
    let questions = 0;
    const answer = (status: number, body: unknown): Promise<Answer> =>
      Promise.resolve({ status, body });
    return {
      server: "https://127.0.0.1:1",
      calls,
      get: (path) => {
        calls.push(`GET ${path}`);
        questions += 1;
        return questions > 1 ? answer(200, { resources: [{ name: "as" }] }) : answer(404, {});
      },
      apply: (path) => {
        calls.push(`PATCH ${path}`);
        return refused.some((name) => path.endsWith(name))
          ? answer(403, { message: "patch is forbidden" })
          : answer(200, {
              spec: {
                group: "example.org",
                names: { plural: "as" },
                versions: [
                  { name: "v1", served: true },
                  { name: "v1alpha1", served: false },
                ],
              },
            });
      },
      getText: () => answer(404, ""),
      tryCreate: () => answer(404, {}),
      delete: (path) => {
        calls.push(`DELETE ${path}`);
        return answer(path.endsWith("gone") ? 404 : 200, {});
      },
    };
  }

  it("waits until every served version is listed", async () => {
    const api = fakeApi();
    await applyDocuments(api, splitDocuments(definition("as")), atOnce);
    expect(api.calls).toEqual([
      "PATCH /apis/apiextensions.k8s.io/v1/customresourcedefinitions/as.example.org",
      "GET /apis/example.org/v1",
      "GET /apis/example.org/v1",
    ]);
  });

  it("names what the API server refused, and why", async () => {
    const text = `---${definition("as")}---${definition("bs")}`;
    const refusing = fakeApi(["bs.example.org"]);
    await expect(applyDocuments(refusing, splitDocuments(text), atOnce)).rejects.toThrow(
      /CustomResourceDefinition bs\.example\.org[^]*403 patch is forbidden/,
    );
  });

  it("deletes objects, and is content with those that are gone", async () => {
    const api = fakeApi();
    await deleteDocuments(api, [
      { apiVersion: "g/v1", kind: "ValidatingAdmissionPolicy", name: "gone" },
    ]);
    expect(api.calls).toEqual(["DELETE /apis/g/v1/validatingadmissionpolicies/gone"]);
  });
});
