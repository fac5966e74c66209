import * as grpc from "@grpc/grpc-js";
import analyzerServices from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";
import { CHANNEL_OPTIONS, listen } from "./grpc.ts";

type Unary = grpc.handleUnaryCall<unknown, unknown>;

/** What the engine says about the stack before it asks a policy pack anything. */
export type StackConfiguration = InstanceType<typeof analyzer.AnalyzerStackConfigureRequest>;

/** Calls that the proxy answers itself; all others it passes on. */
const ANSWERED_HERE: ReadonlySet<string> = new Set(["configureStack", "handshake"]);

type BytesMethod = grpc.MethodDefinition<Buffer, Buffer>;

/** A method whose messages are not decoded: every property of every resource passes here, four times. */
function asBytes(method: grpc.MethodDefinition<unknown, unknown>): BytesMethod {
  const bytes = (message: Buffer): Buffer => message;
  return {
    ...method,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

/**
 * Stands between the engine and a policy pack until the pack is started: the engine configures the stack first, and a
 * pack written in Node takes that configuration from its environment. Everything else is passed through.
 */
export class PolicyProxy {
  readonly #configuration = Promise.withResolvers<StackConfiguration | undefined>();
  readonly #client = Promise.withResolvers<grpc.Client>();
  readonly #server = new grpc.Server(CHANNEL_OPTIONS);

  /** The stack's configuration; `undefined` when the engine asks something else first. */
  get configuration(): Promise<StackConfiguration | undefined> {
    return this.#configuration.promise;
  }

  /** Starts serving and answers with the port that the engine is to be told. */
  async start(): Promise<number> {
    const handlers: Record<string, Unary> = {};
    const service = analyzerServices.AnalyzerService as unknown as grpc.ServiceDefinition;
    const passed = Object.entries(service).filter(([name]) => !ANSWERED_HERE.has(name));
    const unread = Object.fromEntries(passed.map(([name, method]) => [name, asBytes(method)]));
    for (const [name, method] of Object.entries(unread)) handlers[name] = this.#forward(method);
    handlers["configureStack"] = (call, callback) => {
      this.#configuration.resolve(call.request as StackConfiguration);
      callback(null, new analyzer.AnalyzerStackConfigureResponse());
    };
    handlers["handshake"] = (_call, callback) => {
      callback(null, new analyzer.AnalyzerHandshakeResponse());
    };
    this.#server.addService({ ...service, ...unread }, handlers);
    return listen(this.#server);
  }

  /** Passes all waiting and later calls on to the pack that listens on `port`. */
  attach(port: number): void {
    this.#client.resolve(
      new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), CHANNEL_OPTIONS),
    );
  }

  /** Ends every call; the pack did not start or has gone. */
  stop(reason: string): void {
    this.#client.promise.catch(() => undefined);
    this.#client.reject(new Error(reason));
    this.#server.forceShutdown();
  }

  #forward(method: BytesMethod): Unary {
    return (call, callback) => {
      this.#configuration.resolve(undefined);
      this.#client.promise.then(
        (client) => {
          client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize,
            call.request as Buffer,
            (error, answer) => {
              callback(error, answer ?? null);
            },
          );
        },
        (error: unknown) => {
          callback({ code: grpc.status.UNAVAILABLE, details: String(error) });
        },
      );
    };
  }
}
