import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import * as grpc from "@grpc/grpc-js";
import analyzer from "@pulumi/pulumi/proto/analyzer_pb.js";

/** What the engine says about the stack before it asks a policy pack anything. */
export type StackConfiguration = InstanceType<typeof analyzer.AnalyzerStackConfigureRequest>;

/** Answers of the proxy itself, by the method's path; every other call is passed on. */
type Answers = Readonly<Record<string, (message: Buffer) => { serializeBinary(): Uint8Array }>>;

const SERVICE = "/pulumirpc.Analyzer/";
const GRPC = { ":status": 200, "content-type": "application/grpc" } as const;
/** Bytes before each message: whether it is compressed, and its length (grpc/grpc:doc/PROTOCOL-HTTP2.md). */
const PREFIX = 5;

/**
 * Stands between the engine and a policy pack until the pack is started: the engine configures the stack first, and a
 * pack written in Node takes that configuration from its environment. Everything else is passed through as it comes,
 * HTTP/2 stream by stream: every property of every resource goes this way twice and back.
 */
export class PolicyProxy {
  readonly #configuration = Promise.withResolvers<StackConfiguration | undefined>();
  readonly #pack = Promise.withResolvers<http2.ClientHttp2Session>();
  readonly #server = http2.createServer();
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  readonly #answers: Answers = {
    [`${SERVICE}ConfigureStack`]: (message) => {
      const request = analyzer.AnalyzerStackConfigureRequest.deserializeBinary(message);
      this.#configuration.resolve(request);
      return new analyzer.AnalyzerStackConfigureResponse();
    },
    [`${SERVICE}Handshake`]: () => new analyzer.AnalyzerHandshakeResponse(),
  };

  /** The stack's configuration; `undefined` when the engine asks something else first. */
  get configuration(): Promise<StackConfiguration | undefined> {
    return this.#configuration.promise;
  }

  /** Starts serving and answers with the port that the engine is to be told. */
  start(): Promise<number> {
    this.#pack.promise.catch(() => undefined);
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
    this.#server.on("stream", (stream, headers) => {
      // A call that the engine gives up ends here; whoever else it concerns sees its own end.
      stream.on("error", () => undefined);
      const answer = this.#answers[headers[":path"] ?? ""];
      if (answer === undefined) this.#pass(stream, headers);
      else collect(stream, (message) => reply(stream, answer(message)));
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.once("error", reject);
    this.#server.listen(0, "127.0.0.1", () => {
      resolve((this.#server.address() as AddressInfo).port);
    });
    return promise;
  }

  /** Passes all waiting and later calls on to the pack that listens on `port`. */
  attach(port: number): void {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    // Its calls end with it, each with an error of its own.
    session.on("error", () => undefined);
    this.#pack.resolve(session);
  }

  /** Ends every call; the pack did not start or has gone. */
  stop(reason: string): void {
    this.#pack.reject(new Error(reason));
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
  }

  #pass(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    this.#configuration.resolve(undefined);
    this.#pack.promise.then(
      (pack) => {
        if (!stream.destroyed) join(stream, pack.request(headers));
      },
      (error: unknown) => {
        refuse(stream, String(error));
      },
    );
  }
}

/** Lets a call of the engine and its copy to the pack go on as one. */
function join(stream: http2.ServerHttp2Stream, copy: http2.ClientHttp2Stream): void {
  let trailers: http2.IncomingHttpHeaders = {};
  stream.pipe(copy);
  stream.once("close", () => {
    copy.close();
  });
  copy.once("trailers", (given: http2.IncomingHttpHeaders) => {
    trailers = given;
  });
  copy.once("response", (head, flags) => {
    // A failed call is all in its head.
    const endStream = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.respond(head, endStream ? { endStream } : { waitForTrailers: true });
    if (endStream) return;
    stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    copy.pipe(stream);
  });
  copy.once("error", (error: Error) => {
    refuse(stream, error.message);
  });
}

/** The message of a call that has one, without its prefix. */
function collect(stream: http2.ServerHttp2Stream, use: (message: Buffer) => void): void {
  const parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => parts.push(part));
  stream.once("end", () => {
    use(Buffer.concat(parts).subarray(PREFIX));
  });
}

function reply(stream: http2.ServerHttp2Stream, message: { serializeBinary(): Uint8Array }): void {
  const bytes = message.serializeBinary();
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(bytes.length, 1);
  stream.respond(GRPC, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": grpc.status.OK }));
  stream.end(Buffer.concat([prefix, bytes]));
}

function refuse(stream: http2.ServerHttp2Stream, reason: string): void {
  if (stream.destroyed) return;
  if (stream.headersSent) return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  const status = { "grpc-status": grpc.status.UNAVAILABLE, "grpc-message": encodeURI(reason) };
  stream.respond({ ...GRPC, ...status }, { endStream: true });
}
