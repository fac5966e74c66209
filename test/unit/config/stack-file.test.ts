import { describe, expect, it } from "vitest";
import { parseStackFile, readStackFile } from "../../../config/stack-file.ts";

const parse = (text: string | Uint8Array) =>
  parseStackFile(typeof text === "string" ? new TextEncoder().encode(text) : text, "Pulumi.x.yaml");
const codes = (text: string | Uint8Array): string[] =>
  parse(text).problems.map((problem) => `${problem.code} ${problem.where}`);

describe("parseStackFile", () => {
  it("reads keys of our namespace", () => {
    expect(parse("config:\n  kserve:mode: RawDeployment\n").settings?.mode).toBe("RawDeployment");
  });

  it("lets Pulumi's own keys pass", () => {
    const text =
      "encryptionsalt: v1:x\nsecretsprovider: passphrase\nconfig:\n  pulumi:tags: {a: b}\n  kserve:mode: Serverless\n";
    expect(codes(text)).toEqual([]);
  });

  it.each([
    ["", "config-file-empty Pulumi.x.yaml"],
    ["# only a comment\n", "config-file-empty Pulumi.x.yaml"],
    ["config:\n", "config-file-empty Pulumi.x.yaml"],
    ["just text", "config-file-invalid Pulumi.x.yaml"],
    ["config: [1, 2]", "config-file-invalid Pulumi.x.yaml"],
    ["config:\n  a: {", "config-file-invalid Pulumi.x.yaml"],
    ["config: {}\nconfig: {}\n", "config-file-invalid Pulumi.x.yaml"],
  ])("reports %j", (text, code) => {
    expect(codes(text)).toEqual([code]);
  });

  it("reports bytes that are no text", () => {
    expect(codes(new Uint8Array([0x1f, 0x8b, 0, 1]))).toEqual(["config-file-binary Pulumi.x.yaml"]);
    expect(codes(new Uint8Array([0xff, 0xfe, 0x41]))).toEqual(["config-file-binary Pulumi.x.yaml"]);
  });

  it("reports keys of other namespaces, with ours when it is near", () => {
    const result = parse(
      "config:\n  kserve:mode: Serverless\n  knative: {}\n  kubernetes:context: x\n",
    );
    expect(result.problems.map((problem) => problem.fix)).toEqual([
      "did you mean kserve:knative?",
      "remove kubernetes:context",
    ]);
  });

  it("reports a misspelt top-level key", () => {
    expect(parse("confg:\n  kserve:mode: Serverless\n").problems[0]?.fix).toBe(
      "did you mean config?",
    );
  });

  it("reads an encrypted password without its key", () => {
    const text =
      "config:\n  kserve:mode: Serverless\n  kserve:registry:\n    host: h:1\n    pullSecret: {username: u, password: {secure: v1:abc}}\n";
    expect(codes(text)).toEqual([]);
  });
});

describe("readStackFile", () => {
  it("reports a file that is not there", async () => {
    const { problems } = await readStackFile("/nowhere/Pulumi.none.yaml");
    expect(problems[0]).toMatchObject({
      code: "config-file-unreadable",
      where: "Pulumi.none.yaml",
    });
  });
});
