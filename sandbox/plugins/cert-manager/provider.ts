import * as grpc from "@grpc/grpc-js";
import emptyMessages from "google-protobuf/google/protobuf/empty_pb.js";
import pluginMessages from "@pulumi/pulumi/proto/plugin_pb.js";
import provider from "@pulumi/pulumi/proto/provider_pb.js";
import { construct, COMPONENT_TYPE } from "./construct.ts";
import { connectMonitor } from "./monitor.ts";

/** Version of the official component that this one stands in for; the engine compares it with the SDK's. */
export const COMPONENT_VERSION = "0.2.0";

/** Enough of a schema for tools that ask which resources there are; types are left to the SDK. */
const SCHEMA = JSON.stringify({
  name: "kubernetes-cert-manager",
  version: COMPONENT_VERSION,
  resources: {
    [COMPONENT_TYPE]: {
      isComponent: true,
      inputProperties: {},
      properties: { status: { $ref: "pulumi.json#/Any" } },
    },
  },
});

/** Handlers of `pulumirpc.ResourceProvider`; what is missing here answers "unimplemented". */
export function providerHandlers(): grpc.UntypedServiceImplementation {
  return {
    handshake: answer(() =>
      new provider.ProviderHandshakeResponse()
        .setAcceptSecrets(true)
        .setAcceptResources(true)
        .setAcceptOutputs(true),
    ),
    getPluginInfo: answer(() => new pluginMessages.PluginInfo().setVersion(COMPONENT_VERSION)),
    getSchema: answer(() => new provider.GetSchemaResponse().setSchema(SCHEMA)),
    checkConfig: answer((request: InstanceType<typeof provider.CheckRequest>) =>
      new provider.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: answer(() =>
      new provider.DiffResponse().setChanges(provider.DiffResponse.DiffChanges.DIFF_NONE),
    ),
    configure: answer(() =>
      new provider.ConfigureResponse()
        .setAcceptsecrets(true)
        .setAcceptresources(true)
        .setAcceptoutputs(true)
        .setSupportspreview(true),
    ),
    construct: answer(constructThroughMonitor),
    cancel: answer(() => new emptyMessages.Empty()),
  };
}

async function constructThroughMonitor(
  request: InstanceType<typeof provider.ConstructRequest>,
): Promise<InstanceType<typeof provider.ConstructResponse>> {
  const monitor = connectMonitor(request.getMonitorendpoint());
  try {
    return await construct(request, monitor);
  } finally {
    monitor.close();
  }
}

function answer<Request, Response>(
  work: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve(call.request)
      .then(work)
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          const details = error instanceof Error ? error.message : String(error);
          callback({ code: grpc.status.UNKNOWN, details });
        },
      );
  };
}
