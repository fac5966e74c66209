import * as grpc from "@grpc/grpc-js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statusMessages from "@pulumi/pulumi/proto/status_pb.js";
import { InitError } from "./resource/init-error.ts";
import { messageOf } from "./api/error.ts";
import { ANSWER } from "./definition.ts";
import { putTogether } from "./wire/message.ts";
import type { ServiceError } from "@grpc/grpc-js";
import type { JsonObject } from "./value.ts";

/** An error as the engine wants it; an object that is there but not ready travels along in the details. */
export function toServiceError(error: unknown): Partial<ServiceError> {
  const message = messageOf(error);
  const code = grpc.status.UNKNOWN;
  if (!(error instanceof InitError)) return { code, message, details: message };
  return { code, message, details: message, metadata: detailsOf(error) };
}

function detailsOf(error: InitError): grpc.Metadata {
  const message = new messages.ErrorResourceInitFailed();
  message.setId(error.stored.id).setReasonsList([...error.reasons]);
  const packed = new any.Any();
  const detail = putTogether({ message, structs: structsOf(error) });
  packed.pack(detail, "pulumirpc.ErrorResourceInitFailed");
  const status = new statusMessages.Status();
  status.setCode(grpc.status.UNKNOWN).setMessage(error.message).addDetails(packed);
  const metadata = new grpc.Metadata();
  // The key under which gRPC carries structured details (grpc/grpc-go: status/status.go).
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function structsOf({ stored }: InitError): ReadonlyMap<number, JsonObject> {
  const structs = new Map<number, JsonObject>([[ANSWER.initFailed.properties, stored.state]]);
  if (stored.inputs !== undefined) structs.set(ANSWER.initFailed.inputs, stored.inputs);
  return structs;
}
