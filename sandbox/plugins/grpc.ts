import { flushCompileCache } from "node:module";
import * as grpc from "@grpc/grpc-js";

/** Largest message in bytes: the engine sends whole CRDs (pulumi/pulumi@v3.259.0:sdk/go/common/util/rpcutil/serve.go). */
export const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** Channel and server options that every stand-in uses. */
export const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
};

/** Starts a server on a free loopback port and answers with the port. */
export function listen(server: grpc.Server): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) resolve(port);
    else reject(error);
    // Node writes what it compiled when it ends; a plugin is killed, so it has to be told.
    setImmediate(flushCompileCache);
  });
  return promise;
}
