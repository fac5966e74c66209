import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { putTogether, takeApart } from "./wire/message.ts";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import type { Parts } from "./wire/message.ts";

/** Numbers of the request fields that hold properties (pulumi/pulumi@v3.259.0:proto/pulumi/provider.proto). */
export const REQUEST = {
  check: { olds: 2, news: 3, oldOutputs: 9 },
  diff: { olds: 3, news: 4, oldInputs: 6 },
  create: { properties: 2 },
  read: { properties: 3, inputs: 4 },
  update: { olds: 3, news: 4, oldInputs: 8 },
  delete: { properties: 3, oldInputs: 5 },
  construct: { inputs: 10 },
} as const;

/** The same of answers, and of the error that goes with an object that did not become ready. */
export const ANSWER = {
  check: { inputs: 1 },
  create: { properties: 2 },
  read: { properties: 2, inputs: 3 },
  update: { properties: 1 },
  initFailed: { properties: 2, inputs: 4 },
} as const;

type Method = MethodDefinition<unknown, unknown>;

/** Reads the requests that carry whole objects. */
const READERS: Readonly<Record<string, (bytes: Buffer) => Parts<unknown>>> = {
  check: reader(messages.CheckRequest, REQUEST.check),
  diff: reader(messages.DiffRequest, REQUEST.diff),
  create: reader(messages.CreateRequest, REQUEST.create),
  read: reader(messages.ReadRequest, REQUEST.read),
  update: reader(messages.UpdateRequest, REQUEST.update),
  delete: reader(messages.DeleteRequest, REQUEST.delete),
  construct: reader(messages.ConstructRequest, REQUEST.construct),
};

/** The engine's provider service, with messages as {@link Parts} where they carry whole objects. */
export const PROVIDER_SERVICE: ServiceDefinition = Object.fromEntries(
  Object.entries(services.ResourceProviderService as unknown as Record<string, Method>).map(
    ([name, method]) => {
      const requestDeserialize = READERS[name];
      if (requestDeserialize === undefined) return [name, method];
      return [name, { ...method, requestDeserialize, responseSerialize: putTogether } as Method];
    },
  ),
);

function reader<Message>(
  type: { deserializeBinary(bytes: Uint8Array): Message },
  fields: Readonly<Record<string, number>>,
): (bytes: Buffer) => Parts<Message> {
  return (bytes) => takeApart(bytes, Object.values(fields), (rest) => type.deserializeBinary(rest));
}
