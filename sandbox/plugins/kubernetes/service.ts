import empty from "google-protobuf/google/protobuf/empty_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { checked, created, deleted, diffed, readBack, updated } from "./calls.ts";
import { construct } from "./component/construct.ts";
import { diffConfig } from "./configuration.ts";
import { toServiceError } from "./reply.ts";
import { openSession } from "./session.ts";
import { fromStruct, plainObject } from "./value.ts";
import { VERSION } from "./version.ts";
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import type {
  CheckRequest,
  ConfigureRequest,
  ConstructRequest,
  CreateRequest,
  DeleteRequest,
  DiffRequest,
  ReadRequest,
  UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import type { Log } from "./engine.ts";
import type { Parts } from "./wire/message.ts";
import type { Session } from "./session.ts";

type Handler<Request, Response> = (request: Request) => Promise<Response> | Response;
type Open = () => Promise<Session>;

/** The calls of the engine, over one {@link Session} that the engine configures first. */
export function providerService(log: Log): UntypedServiceImplementation {
  const cancellation = new AbortController();
  let opened: Promise<Session> | undefined;
  const session = async (): Promise<Session> => {
    if (opened === undefined) throw new Error("the provider has not been configured");
    return opened;
  };
  const configure = async (request: ConfigureRequest) => {
    const options = plainObject(fromStruct(request.getArgs()));
    opened = openSession(options, cancellation.signal);
    await opened;
    return configured();
  };
  const cancel = () => {
    cancellation.abort();
    return new empty.Empty();
  };
  return {
    ...pluginHandlers(),
    cancel: unary(cancel),
    configure: unary(configure),
    ...resourceHandlers(session, log),
  };
}

function pluginHandlers(): UntypedServiceImplementation {
  const schema = JSON.stringify({ name: "kubernetes", version: VERSION });
  return {
    handshake: unary(() => handshaken()),
    attach: unary(() => new empty.Empty()),
    getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(VERSION)),
    getSchema: unary(() => new messages.GetSchemaResponse().setSchema(schema)),
    checkConfig: unary((request: CheckRequest) =>
      new messages.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: unary(diffConfig),
  };
}

function resourceHandlers(session: Open, log: Log): UntypedServiceImplementation {
  type Large<Message> = Parts<Message>;
  return {
    check: unary(async (request: Large<CheckRequest>) => checked(await session(), request)),
    diff: unary(async (request: Large<DiffRequest>) => diffed(await session(), request)),
    create: unary(async (request: Large<CreateRequest>) => created(await session(), log, request)),
    update: unary(async (request: Large<UpdateRequest>) => updated(await session(), log, request)),
    read: unary(async (request: Large<ReadRequest>) => readBack(await session(), log, request)),
    delete: unary(async (request: Large<DeleteRequest>) => deleted(await session(), log, request)),
    construct: unary(async (request: Large<ConstructRequest>) =>
      construct(await session(), log, request),
    ),
  };
}

function unary<Request, Response>(handler: Handler<Request, Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    Promise.resolve()
      .then(() => handler(call.request))
      .then((response) => callback(null, response))
      .catch((error: unknown) => callback(toServiceError(error)));
  };
}

function handshaken() {
  return new messages.ProviderHandshakeResponse()
    .setAcceptSecrets(true)
    .setAcceptResources(false)
    .setAcceptOutputs(false)
    .setSupportsAutonamingConfiguration(true);
}

function configured() {
  return new messages.ConfigureResponse()
    .setAcceptsecrets(true)
    .setSupportspreview(true)
    .setAcceptresources(false)
    .setAcceptoutputs(false)
    .setSupportsAutonamingConfiguration(true);
}
