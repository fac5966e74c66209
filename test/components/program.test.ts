import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../config/project-root.ts";
import { MODES } from "../../config/schema.ts";
import type { Mode } from "../../config/schema.ts";
import type { VersionSet } from "../../versions/catalog.ts";
import { LAYERS, STANDS_ON } from "../../plan/plan.ts";
import { runProgram } from "../support/program.ts";
import { catalog } from "../support/settings.ts";

const LAYER = "kserve-platform:layer:";
const ENVOY = { ingress: { type: "envoy" } };
/** Sets that need no acknowledgement, in every mode that their release of KServe has. */
const cases = catalog.sets
  .filter((set) => set.breaks.length === 0)
  .flatMap((set) => modesOf(set).map((mode) => [set.name, mode, set] as const));

function modesOf(set: VersionSet): Mode[] {
  const { spelling } = catalog.get("kserve", set.kserve).modes;
  return MODES.filter((mode) => spelling[mode] !== undefined);
}

/** Files of the program that hold a text; what they say to chart objects, no recording shows. */
async function sourcesNaming(text: string): Promise<string[]> {
  const folder = join(PROJECT_ROOT, "components");
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name));
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return paths.filter((_path, index) => texts[index]?.includes(text));
}

/** What a stack without further settings installs; KServe knows Gateway API from 0.15 on. */
function productsOf(set: VersionSet, mode: Mode): string[] {
  if (mode === "Serverless")
    return ["cert-manager", "gateway-api", "istio", "knative-serving", "kserve"];
  const { keys } = catalog.get("kserve", set.kserve).values;
  const gatewayApi = mode === "RawDeployment" && keys["enableGatewayApi"] !== undefined;
  return ["cert-manager", ...(gatewayApi ? ["gateway-api"] : []), "kserve"];
}

describe("the program", () => {
  it.each(cases)(
    "installs the set %s in mode %s, the versions as published",
    async (_n, mode, set) => {
      const kubernetes = { version: set.kubernetes.at(-1) };
      const recording = await runProgram({ mode, kubernetes, kserve: { version: set.kserve } });
      const layers = recording.resources.filter((item) => "product" in item.inputs);
      const installed = layers.map((item) => [item.inputs["product"], item.inputs["version"]]);
      const wanted = productsOf(set, mode).map((product) => [
        product,
        set[product as keyof typeof set],
      ]);
      expect(Object.fromEntries(installed)).toEqual(Object.fromEntries(wanted));
      expect(recording.outputs.layers).toEqual(wanted.map((pair) => pair.join(" ")));
      expect(recording.outputs.mode).toBe(mode);
    },
  );

  it("places every resource inside a layer and gives it a provider of its own", async () => {
    const { resources } = await runProgram();
    const loose = resources.filter(
      (item) =>
        item.parent === "" && !/^(?:kserve-platform:layer|pulumi:providers):/.test(item.type),
    );
    expect(loose).toEqual([]);
    const foreign = resources.filter((item) => item.type.startsWith("kubernetes"));
    expect(foreign.length).toBeGreaterThan(15);
    expect(foreign.filter((item) => item.provider !== "cluster")).toEqual([]);
  });

  it.each([
    ["the default", {}],
    ["Envoy Gateway", { mode: "RawDeployment", ...ENVOY }],
    ["every feature", { mode: "RawDeployment", features: { llm: true, localModel: true } }],
  ])(
    "leaves no wait to the provider that an old object could end, in the stack of %s",
    async (_name, raw) => {
      // After an upgrade such a wait ends with the object as it was before, and that one is stored: a difference in
      // metadata that the next `refresh --expect-no-changes` finds.
      const { resources } = await runProgram(raw);
      const waited = resources.filter((item) =>
        JSON.stringify(item.inputs).includes("pulumi.com/waitFor"),
      );
      expect(waited.map(({ name }) => name)).toEqual([]);
      expect(await sourcesNaming("pulumi.com/waitFor")).toEqual([]);
    },
  );

  it("takes nothing over that exists already", async () => {
    const recording = await runProgram();
    const [provider, ...others] = recording.ofType("pulumi:providers:kubernetes");
    expect(others).toEqual([]);
    expect(provider?.inputs).not.toHaveProperty("upsertExistingObjects");
  });

  it("hands kubeconfig and context of the stack to the provider", async () => {
    const kubernetes = { version: "1.34", kubeconfig: "/k/config", context: "prod" };
    const recording = await runProgram({ kubernetes });
    for (const provider of recording.ofType("pulumi:providers:kubernetes"))
      expect(provider.inputs).toMatchObject({ kubeconfig: "/k/config", context: "prod" });
  });

  it.each([
    ["Serverless", {}, ["CertManager", "GatewayApi", "IstioMesh", "KnativeOperator"]],
    ["RawDeployment", ENVOY, ["CertManager", "EnvoyGateway", "GatewayApi"]],
  ])(
    "registers each layer of %s after those below it, and all after the CRDs",
    async (mode, raw, first) => {
      const { resources } = await runProgram({ mode, ...raw });
      const order = resources
        .filter((item) => item.type.startsWith(LAYER) && item.parent === "")
        .map((item) => item.type.slice(LAYER.length))
        // Entries of the state alone: they are about what goes, not about what comes.
        .filter((type) => !["Leftovers", "UseGuards"].includes(type));
      expect(order.slice(0, 2)).toEqual(["Namespaces", "CustomResourceDefinitions"]);
      const last = mode === "Serverless" ? ["KnativeServing", "KServeCore"] : ["KServeCore"];
      expect(order.slice(2, -last.length).toSorted()).toEqual(first);
      expect(order.slice(-last.length)).toEqual(last);
      for (const layer of LAYERS.filter((name) => order.includes(name)))
        for (const below of STANDS_ON[layer])
          expect(order.indexOf(layer)).toBeGreaterThan(order.indexOf(below));
    },
  );

  it.each([
    [{ mode: "Ambient" }, "config-value-invalid"],
    [{ kserve: { version: "9.9.9" } }, "catalog-version-unknown"],
    [{ registry: { host: "h", pullSecret: { username: "u", password: "clear" } } }, "config-"],
  ])("ends on %j with a report before any resource", async (raw, code) => {
    const failure: unknown = await runProgram(raw).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: expect.any(String) as string, __pulumiRunError: true });
    expect((failure as Error).message).toContain(`[${code}`);
    expect((failure as Error).message).not.toContain('"clear"');
  });
});
