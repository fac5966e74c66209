/** The one harness for everything that talks to Pulumi: no engine, no cluster, every registration recorded. */
import * as grpc from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";
import callbackServices from "@pulumi/pulumi/proto/callback_grpc_pb.js";
import callbacks from "@pulumi/pulumi/proto/callback_pb.js";
import resources from "@pulumi/pulumi/proto/resource_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";

/** Marks of a secret on the wire (pulumi/pulumi@v3.270.0:sdk/nodejs/runtime/rpc.ts, specialSigKey, specialSecretSig). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** What the program told the engine about one resource. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** URN of the parent; empty without one. */
  readonly parent: string;
  readonly custom: boolean;
  /** True for components that a provider builds (charts, files of manifests). */
  readonly remote: boolean;
  /** Inputs as plain values, secrets included in clear. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The same with `SecretText` in place of every secret: what the engine may store and print. */
  readonly visible: Readonly<Record<string, unknown>>;
  /** Name of the explicit provider; empty for none. */
  readonly provider: string;
  /** Names of the resources that it waits for, duplicates left out; the engine is never told of local components. */
  readonly dependsOn: readonly string[];
  /** What the objects of a chart wait for: its transforms say so, here of a sample. */
  readonly objectsDependOn: readonly string[];
  /** What a chart's transforms make of {@link SAMPLE}; absent for what is no chart. */
  readonly sample: Readonly<Record<string, unknown>> | undefined;
  readonly retainOnDelete: boolean;
  /** Names of the hooks that the engine is to run, by the moment. */
  readonly hooks: {
    readonly create: string[];
    readonly update: string[];
    readonly delete: string[];
  };
  /** URNs under which the engine looks for the resource as well. */
  readonly aliases: readonly string[];
  /** Number of transforms; the mock monitor runs none of them but for `objectsDependOn`. */
  readonly transforms: number;
}

/** An object as a chart renders it and the post-renderer orders it. */
export const SAMPLE = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "sample",
    annotations: { "config.kubernetes.io/depends-on": "/Namespace/sample" },
  },
};

/** Stands in `visible` for every secret. */
export const SecretText = "[secret]";

interface Alias {
  getUrn(): string;
  getSpec(): { getName(): string; getParenturn(): string } | undefined;
}

interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getRemote(): boolean;
  getProvider(): string;
  getProvidersMap(): { get(key: string): string | undefined };
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getDependenciesList(): string[];
  getRetainondelete(): boolean;
  getAliasesList(): Alias[];
  getAliasurnsList(): string[];
  getTransformsList(): InstanceType<typeof callbacks.Callback>[];
  getHooks(): Hooks | undefined;
}
interface Hooks {
  getBeforeCreateList(): string[];
  getBeforeUpdateList(): string[];
  getAfterDeleteList(): string[];
  getBeforeDeleteList(): string[];
}
type Answer = (error: Error | null, response: { getUrn(): string }) => void;
interface Monitor {
  registerResource(request: Request, answer: Answer): Promise<void>;
  /** The SDK's mocks claim to know hooks and have no such method; without it a registration waits for ever. */
  registerResourceHook?(request: unknown, answer: (error: null, response: object) => void): void;
}

/** Everything that one run registered. */
export class Recording {
  readonly resources: RecordedResource[] = [];

  /** All resources of a type, in the order in which they were registered. */
  ofType(type: string): RecordedResource[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  /** The one resource of that name, and of that type where several types share the name. */
  get(name: string, type?: string): RecordedResource {
    const found = this.resources.filter(
      (resource) => resource.name === name && (type === undefined || resource.type === type),
    );
    const [only] = found;
    if (only === undefined || found.length > 1)
      throw new Error(
        `${String(found.length)} resources ${name}; there are: ${this.resources.map((item) => `${item.type} ${item.name}`).join(", ")}`,
      );
    return only;
  }

  /** True when a resource of that name was registered. */
  has(name: string): boolean {
    return this.resources.some((resource) => resource.name === name);
  }

  /** Names of the resources inside the given one, in order of registration. */
  childrenOf(parent: RecordedResource): string[] {
    return this.resources
      .filter((resource) => resource.parent === parent.urn)
      .map((resource) => resource.name);
  }
}

/** Puts mocks in place of engine and providers and records from now on; the last call wins. */
export async function startRecording(stack = "test", preview = false): Promise<Recording> {
  const recording = new Recording();
  await pulumi.runtime.setMocks(
    {
      call: (args) => ({ ...(args.inputs as object) }),
      newResource: (args) => ({
        id: args.custom === true ? `${args.name}-id` : undefined,
        state: args.inputs as Record<string, unknown>,
      }),
    },
    "kserve-platform",
    stack,
    preview,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  monitor.registerResourceHook = (_request, answer) => {
    answer(null, {});
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, answer) =>
    register(request, (error, response) => {
      void transformed(request).then((change) => {
        if (error === null) recording.resources.push(recordOf(request, response.getUrn(), change));
        answer(error, response);
      });
    });
  return recording;
}

/** Waits until every registration that was started is done. */
export async function settle(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** The value of an output. */
export async function outputOf<T>(output: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  const { promise, resolve } = Promise.withResolvers<pulumi.Unwrap<T>>();
  pulumi.output(output).apply(resolve);
  return promise;
}

/** What a chart's transforms answer with for one object. */
interface Change {
  readonly dependsOn: readonly string[];
  readonly object?: Readonly<Record<string, unknown>>;
}

/** Shows the transforms of a chart an object, as the engine does with each that is rendered. */
async function transformed(request: Request): Promise<Change> {
  const answers = request.getTransformsList().map(async (callback) => {
    const sample = new resources.TransformRequest()
      .setType("kubernetes:core/v1:Thing")
      .setName("sample")
      .setCustom(true)
      .setProperties(structs.Struct.fromJavaScript(SAMPLE));
    const call = new callbacks.CallbackInvokeRequest()
      .setToken(callback.getToken())
      .setRequest(sample.serializeBinary());
    const credentials = grpc.credentials.createInsecure();
    const client = new callbackServices.CallbacksClient(callback.getTarget(), credentials);
    const { promise, resolve } = Promise.withResolvers<Change>();
    client.invoke(call, (error, response) => {
      client.close();
      // The record of CRDs is made from what a chart rendered, and here none is.
      if (error !== null) return resolve({ dependsOn: [] });
      const changed = resources.TransformResponse.deserializeBinary(response.getResponse_asU8());
      const object = changed.getProperties()?.toJavaScript() as Record<string, unknown>;
      resolve({ dependsOn: changed.getOptions()?.getDependsOnList() ?? [], object });
    });
    return promise;
  });
  const changes = await Promise.all(answers);
  return {
    ...changes.find(({ object }) => object !== undefined),
    dependsOn: changes.flatMap(({ dependsOn }) => dependsOn).map(nameOf),
  };
}

function recordOf(request: Request, urn: string, change: Change): RecordedResource {
  const wire = request.getObject()?.toJavaScript() ?? {};
  const provider = request.getProvider() || (request.getProvidersMap().get("kubernetes") ?? "");
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    custom: request.getCustom(),
    remote: request.getRemote(),
    inputs: unwrap(wire, (secret) => secret) as Record<string, unknown>,
    visible: unwrap(wire, () => SecretText) as Record<string, unknown>,
    provider: nameOf(provider),
    dependsOn: [...new Set(request.getDependenciesList().map(nameOf))],
    objectsDependOn: change.dependsOn,
    sample: change.object,
    retainOnDelete: request.getRetainondelete(),
    aliases: [
      ...request.getAliasurnsList(),
      ...request.getAliasesList().map((alias) => aliasUrn(alias, request.getType())),
    ],
    transforms: request.getTransformsList().length,
    hooks: {
      create: request.getHooks()?.getBeforeCreateList() ?? [],
      update: request.getHooks()?.getBeforeUpdateList() ?? [],
      delete: [
        ...(request.getHooks()?.getBeforeDeleteList() ?? []),
        ...(request.getHooks()?.getAfterDeleteList() ?? []),
      ],
    },
  };
}

/** What the engine makes of an alias that names another parent. */
function aliasUrn(alias: Alias, type: string): string {
  const spec = alias.getSpec();
  if (spec === undefined) return alias.getUrn();
  const [stack, project, parentType] = spec.getParenturn().split("::");
  return [stack, project, `${String(parentType)}$${type}`, spec.getName()].join("::");
}

/** Last part of a URN; provider references carry an id behind it (`urn::id`). */
function nameOf(urn: string): string {
  return urn.split("::")[3] ?? "";
}

function unwrap(value: unknown, ofSecret: (clear: unknown) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => unwrap(item, ofSecret));
  const record = value as Record<string, unknown>;
  if (record[SIGNATURE] === SECRET) return ofSecret(unwrap(record["value"], ofSecret));
  return Object.fromEntries(
    Object.entries(record).map(([key, item]) => [key, unwrap(item, ofSecret)]),
  );
}
