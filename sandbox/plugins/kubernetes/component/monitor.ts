import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/resource_pb.js";
import { CHANNEL_OPTIONS } from "../../grpc.ts";
import { toStruct } from "../value.ts";
import { putTogether, takeApart } from "../wire/message.ts";
import type { Parts } from "../wire/message.ts";
import type {
  RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb.js";
import type { JsonObject } from "../value.ts";

/** The engine's side of a run, to which resources are registered. */
export interface Monitor {
  /** Registers a resource and waits until the engine is done with it; gives its URN. */
  register(request: RegisterResourceRequest, properties: JsonObject): Promise<string>;
  /** Ends a component: its outputs go into the state. */
  registerOutputs(urn: string, outputs: JsonObject): Promise<void>;
  close(): void;
}

/** Fields that hold properties (pulumi/pulumi@v3.259.0:proto/pulumi/resource.proto). */
const OBJECT_FIELD = 5;
const ANSWER_OBJECT_FIELD = 3;

function parseAnswer(bytes: Buffer): Parts<RegisterResourceResponse> {
  const parse = (rest: Uint8Array) => messages.RegisterResourceResponse.deserializeBinary(rest);
  return takeApart(bytes, [ANSWER_OBJECT_FIELD], parse);
}

/** Connects to the monitor of one construct request. */
export function connectMonitor(address: string): Monitor {
  const client = new services.ResourceMonitorClient(
    address,
    grpc.credentials.createInsecure(),
    CHANNEL_OPTIONS,
  );
  const { path } = services.ResourceMonitorService.registerResource;
  const register = (message: RegisterResourceRequest, properties: JsonObject): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = { message, structs: new Map([[OBJECT_FIELD, properties]]) };
    client.makeUnaryRequest(path, putTogether, parseAnswer, request, (error, response) => {
      if (error !== null) reject(new Error(error.details));
      else resolve(response?.message.getUrn() ?? "");
    });
    return promise;
  };
  const registerOutputs = (urn: string, outputs: JsonObject): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const request = new messages.RegisterResourceOutputsRequest()
      .setUrn(urn)
      .setOutputs(toStruct(outputs));
    client.registerResourceOutputs(request, (error) => {
      if (error === null) resolve(undefined);
      else reject(new Error(error.details));
    });
    return promise;
  };
  return { register, registerOutputs, close: () => client.close() };
}
