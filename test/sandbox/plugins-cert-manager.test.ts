import provider from "@pulumi/pulumi/proto/provider_pb.js";
import resources from "@pulumi/pulumi/proto/resource_pb.js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, it } from "vitest";
import {
  construct,
  COMPONENT_TYPE,
  RELEASE_TYPE,
} from "../../sandbox/plugins/cert-manager/construct.ts";
import {
  OUTPUT,
  SECRET,
  SIGNATURE_KEY,
  UNKNOWN,
} from "../../sandbox/plugins/cert-manager/property-values.ts";
import { releaseInputs } from "../../sandbox/plugins/cert-manager/release-inputs.ts";
import type {
  Monitor,
  OutputsRequest,
  RegisterRequest,
} from "../../sandbox/plugins/cert-manager/monitor.ts";
import type { Json } from "../../sandbox/plugins/cert-manager/property-values.ts";

const secret = (value: Json) => ({ [SIGNATURE_KEY]: SECRET, value });
const output = (members: Record<string, Json>) => ({ [SIGNATURE_KEY]: OUTPUT, ...members });

describe("releaseInputs", () => {
  it("fills in chart and repository", () => {
    expect(releaseInputs({})).toEqual({
      chart: "cert-manager",
      compat: "true",
      repositoryOpts: { repo: "https://charts.jetstack.io" },
      values: {},
    });
  });

  it("keeps an empty repository, which is how a local chart is named", () => {
    const helmOptions = { chart: "/charts/cert-manager", repositoryOpts: { repo: "" } };
    expect(releaseInputs({ helmOptions })).toMatchObject({
      chart: "/charts/cert-manager",
      repositoryOpts: { repo: "" },
    });
  });

  it("passes the Release's options on and drops what the official component drops", () => {
    const helmOptions = { name: "cm", timeout: 60, valueYamlFiles: [], allowNullValues: true };
    const inputs = releaseInputs({ helmOptions });
    expect(inputs).toMatchObject({ name: "cm", timeout: 60 });
    expect(inputs).not.toHaveProperty("valueYamlFiles");
    expect(inputs).not.toHaveProperty("allowNullValues");
  });

  it("lets typed keys take the place of untyped ones, even when they are not set", () => {
    const values = {
      crds: { enabled: true },
      webhook: { networkPolicy: { enabled: true } },
      image: { repository: "lost" },
      acmesolver: { image: { repository: "kept" } },
    };
    const image = { repository: "typed" };
    expect(releaseInputs({ image, helmOptions: { values } })["values"]).toEqual({
      crds: { enabled: true },
      acmesolver: { image: { repository: "kept" } },
      image: { repository: "typed" },
    });
  });

  it("loses nulls at every depth, but not false and empty values", () => {
    const values = { config: { a: null, b: false, c: "" }, creator: null };
    expect(releaseInputs({ helmOptions: { values } })["values"]).toEqual({
      config: { b: false, c: "" },
    });
  });

  it("keeps secrets marked and turns output values into what they stand for", () => {
    const inputs = releaseInputs({
      image: { tag: secret("v1") },
      helmOptions: {
        namespace: output({ value: "ns", dependencies: ["urn:a"] }),
        name: output({}),
        repositoryOpts: { password: output({ value: "p", secret: true }) },
      },
    });
    expect(inputs).toMatchObject({
      namespace: "ns",
      name: UNKNOWN,
      repositoryOpts: { password: secret("p") },
      values: { image: { tag: secret("v1") } },
    });
  });

  it.each([
    ["featureGates", { featureGates: secret("x") }],
    ["extraArgs", { extraArgs: [UNKNOWN] }],
    ["helmOptions", { helmOptions: secret({}) }],
    ["helmOptions.values", { helmOptions: { values: UNKNOWN } }],
    [
      "helmOptions.values.namespace",
      { helmOptions: { values: { namespace: output({ value: "a", dependencies: ["urn:a"] }) } } },
    ],
  ])("refuses an output in %s, as the official component does", (where, inputs) => {
    expect(() => releaseInputs(inputs)).toThrow(`"${where}"`);
  });

  it("takes an output value that is known and depends on nothing", () => {
    const values = { crds: output({ value: { enabled: true } }) };
    expect(releaseInputs({ helmOptions: { values } })["values"]).toEqual({
      crds: { enabled: true },
    });
  });
});

describe("construct", () => {
  it("registers the component without inputs and the Release below it", async () => {
    const { monitor, registered, outputs } = recorder({ status: { status: "deployed" } });
    const response = await construct(requestWith({ helmOptions: { namespace: "ns" } }), monitor);
    const [component, release] = registered;
    expect(component?.getType()).toBe(COMPONENT_TYPE);
    expect(component?.getObject()?.toJavaScript()).toEqual({});
    expect(component?.getDependenciesList()).toEqual(["urn:layer"]);
    expect(component?.getCustom()).toBe(false);
    expect(release?.getType()).toBe(RELEASE_TYPE);
    expect(release?.getName()).toBe("cm-helm");
    expect(release?.getParent()).toBe("urn:cm");
    expect(release?.getProvider()).toBe("urn:provider::id");
    const dependencies = release?.getPropertydependenciesMap();
    expect(dependencies?.get("namespace")?.getUrnsList()).toEqual(["urn:ns"]);
    expect(outputs[0]?.getUrn()).toBe("urn:cm");
    expect(response.getUrn()).toBe("urn:cm");
    expect(response.getState()?.toJavaScript()).toEqual({ status: { status: "deployed" } });
  });

  it("leaves the status unknown in a preview", async () => {
    const { monitor } = recorder({});
    const response = await construct(requestWith({}).setDryrun(true), monitor);
    expect(response.getState()?.toJavaScript()).toEqual({ status: UNKNOWN });
  });

  it("registers nothing when an input is refused or the type is another", async () => {
    const { monitor, registered } = recorder({});
    await expect(construct(requestWith({ installCRDs: UNKNOWN }), monitor)).rejects.toThrow(
      "installCRDs",
    );
    await expect(construct(requestWith({}).setType("a:b:C"), monitor)).rejects.toThrow("a:b:C");
    expect(registered).toEqual([]);
  });

  it("fails when the Release was not registered", async () => {
    const { monitor } = recorder({}, resources.Result.FAIL);
    await expect(construct(requestWith({}), monitor)).rejects.toThrow("was not registered");
  });
});

function requestWith(inputs: Record<string, Json>) {
  const request = new provider.ConstructRequest()
    .setType(COMPONENT_TYPE)
    .setName("cm")
    .setInputs(struct.Struct.fromJavaScript(inputs))
    .setDependenciesList(["urn:layer"]);
  request.getProvidersMap().set("kubernetes", "urn:provider::id");
  const dependencies = new provider.ConstructRequest.PropertyDependencies();
  request.getInputdependenciesMap().set("helmOptions", dependencies.setUrnsList(["urn:ns"]));
  return request;
}

function recorder(releaseOutputs: Record<string, Json>, result = resources.Result.SUCCESS) {
  const registered: RegisterRequest[] = [];
  const outputs: OutputsRequest[] = [];
  const monitor: Monitor = {
    registerResource: (request) => {
      registered.push(request);
      const object = struct.Struct.fromJavaScript(releaseOutputs);
      const response = new resources.RegisterResourceResponse().setUrn(`urn:${request.getName()}`);
      return Promise.resolve(response.setObject(object).setResult(result));
    },
    registerResourceOutputs: (request) => {
      outputs.push(request);
      return Promise.resolve();
    },
    close: () => undefined,
  };
  return { monitor, registered, outputs };
}
