import * as grpc from "@grpc/grpc-js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineMessages from "@pulumi/pulumi/proto/engine_pb.js";
import { CHANNEL_OPTIONS } from "../grpc.ts";

/** Where messages to the user go. */
export interface Log {
  warning(urn: string, message: string): void;
  /** Replaces the line beside the resource; an empty text clears it. */
  status(urn: string, message: string): void;
}

/** Messages through the engine that started the plugin. Nobody waits for them. */
export function engineLog(address: string): Log {
  const client = new engineServices.EngineClient(
    address,
    grpc.credentials.createInsecure(),
    CHANNEL_OPTIONS,
  );
  const { INFO, WARNING } = engineMessages.LogSeverity;
  const shown = new Map<string, string>();
  const send = (severity: typeof INFO | typeof WARNING, urn: string, message: string) => {
    const request = new engineMessages.LogRequest();
    request
      .setSeverity(severity)
      .setUrn(urn)
      .setMessage(message)
      .setEphemeral(severity === INFO);
    client.log(request, () => undefined);
  };
  return {
    warning: (urn, message) => send(WARNING, urn, message),
    status: (urn, message) => {
      if ((shown.get(urn) ?? "") === message) return;
      shown.set(urn, message);
      send(INFO, urn, message);
    },
  };
}
