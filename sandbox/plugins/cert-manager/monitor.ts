import * as grpc from "@grpc/grpc-js";
import resourceServices from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import type resources from "@pulumi/pulumi/proto/resource_pb.js";
import { CHANNEL_OPTIONS } from "../grpc.ts";

/** A request to register a resource. */
export type RegisterRequest = InstanceType<typeof resources.RegisterResourceRequest>;
/** What the engine made of it. */
export type RegisterResponse = InstanceType<typeof resources.RegisterResourceResponse>;
/** What a component answers with once its children are registered. */
export type OutputsRequest = InstanceType<typeof resources.RegisterResourceOutputsRequest>;

/** The part of the engine's resource monitor that a component needs. */
export interface Monitor {
  registerResource(request: RegisterRequest): Promise<RegisterResponse>;
  registerResourceOutputs(request: OutputsRequest): Promise<void>;
  close(): void;
}

/** Connects to the monitor that a ConstructRequest names; it is the local engine. */
export function connectMonitor(address: string): Monitor {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), CHANNEL_OPTIONS);
  const service = resourceServices.ResourceMonitorService as unknown as grpc.ServiceDefinition;
  return {
    registerResource: (request) =>
      call<RegisterResponse>(client, service["registerResource"], request),
    registerResourceOutputs: async (request) => {
      await call(client, service["registerResourceOutputs"], request);
    },
    close: () => {
      client.close();
    },
  };
}

function call<Response>(
  client: grpc.Client,
  method: grpc.MethodDefinition<unknown, unknown> | undefined,
  request: unknown,
): Promise<Response> {
  if (method === undefined)
    throw new Error("the Pulumi SDK no longer knows this method of the resource monitor");
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      (error, response) => {
        if (error === null) resolve(response as Response);
        else reject(error);
      },
    );
  });
}
