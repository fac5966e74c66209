import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { Authorizer } from "./authorizer.ts";
import type { Action } from "./authorizer.ts";
import type { Credentials } from "./credentials.ts";
import { RemoteFailure, statusFailure } from "./failure.ts";
import type { FailureKind } from "./failure.ts";
import { drop, HttpClient, readBody } from "./http.ts";
import type { HttpAnswer, HttpOptions, HttpRequest } from "./http.ts";
import { PATIENT, withRetry } from "./retry.ts";
import type { RetryPolicy } from "./retry.ts";

/** How one registry is spoken to. */
export interface RegistryOptions extends HttpOptions {
  /** `host[:port]` as image references carry it. */
  readonly host: string;
  readonly plainHttp?: boolean | undefined;
  readonly credentials?: Credentials | undefined;
  /** @default five repetitions within about half a minute */
  readonly retry?: RetryPolicy | undefined;
}

/** A manifest as the registry serves it, byte for byte. */
export interface RawManifest {
  /** `sha256:<hex>` of the bytes. */
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** A blob to send. `open` is called again when the sending has to be repeated. */
export interface BlobUpload {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly open: () => Readable;
}

/** Index before image: the digest that pods are pinned to is the one of the multi-platform index. */
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
/** Failures that the next request to the same host would meet as well. */
const LASTING: ReadonlySet<FailureKind> = new Set(["server", "unreachable", "tls"]);
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Docker Hub's registry does not live at the name that its images carry. */
const API_HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/;

interface Call extends HttpRequest {
  readonly repository: string;
  readonly action: Action;
  /** For reports: `kserve/agent manifest v0.16.0`. */
  readonly what: string;
}

/**
 * A client of one registry (OCI distribution specification 1.1, also what Docker Registry 2 and Harbor serve): manifests
 * and blobs, read and written, byte for byte. Requests that fail by the server's fault are repeated; everything else
 * throws a {@link RemoteFailure}.
 */
export class Registry {
  readonly host: string;
  readonly #http: HttpClient;
  readonly #base: string;
  readonly #authorizer: Authorizer;
  readonly #retry: RetryPolicy;
  #down: RemoteFailure | undefined;

  constructor(options: RegistryOptions) {
    this.host = options.host;
    this.#http = new HttpClient(options);
    this.#base = baseOf(options);
    this.#authorizer = new Authorizer(this.#http, options.credentials);
    this.#retry = { signal: options.signal, ...(options.retry ?? PATIENT) };
  }

  /** Digest of a tag, or of a digest that is there; `undefined` when the registry does not have it. */
  async digestOf(repository: string, reference: string): Promise<string | undefined> {
    const path = `manifests/${reference}`;
    const call = {
      method: "HEAD",
      repository,
      action: "pull",
      headers: { accept: ACCEPT },
    } as const;
    const answer = await this.#ask(path, { ...call, what: `${repository} manifest ${reference}` });
    drop(answer);
    if (answer.status === 404) return undefined;
    const named = String(answer.headers["docker-content-digest"] ?? "");
    // The header is optional; the digest is that of the manifest's bytes.
    return DIGEST.test(named) ? named : (await this.manifest(repository, reference)).digest;
  }

  /** A manifest by tag or digest. Throws when it is missing, or not what its digest says. */
  async manifest(repository: string, reference: string): Promise<RawManifest> {
    const what = `${repository} manifest ${reference}`;
    const { bytes, mediaType } = await this.#patiently(async () => {
      const call = {
        method: "GET",
        repository,
        action: "pull",
        headers: { accept: ACCEPT },
      } as const;
      const answer = this.#must(
        await this.#once(`manifests/${reference}`, { ...call, what }),
        what,
      );
      return { bytes: await readBody(answer), mediaType: answer.headers["content-type"] ?? "" };
    });
    const digest = digestOfBytes(bytes);
    if (DIGEST.test(reference) && digest !== reference)
      throw new RemoteFailure("protocol", this.host, `${what} has the digest ${digest}`);
    return { digest, mediaType: mediaType.split(";", 1)[0] ?? "", bytes };
  }

  /** The content of a blob from byte `from` on; `status` 206 says that the registry kept to it, 200 that it sends all. */
  async blob(repository: string, digest: string, from = 0): Promise<HttpAnswer> {
    const what = `${repository} blob ${digest}`;
    const headers: Record<string, string> = from === 0 ? {} : { range: `bytes=${String(from)}-` };
    const call = { method: "GET", repository, action: "pull", headers, what } as const;
    return this.#must(await this.#once(`blobs/${digest}`, call), what);
  }

  /** True when the repository has the blob. */
  async hasBlob(repository: string, digest: string): Promise<boolean> {
    const what = `${repository} blob ${digest}`;
    const call = { method: "HEAD", repository, action: "pull,push", what } as const;
    const answer = await this.#ask(`blobs/${digest}`, call);
    drop(answer);
    return answer.status !== 404;
  }

  /** Sends a blob in one request; `from` is a repository that has it, so that the registry need not be sent it. */
  async putBlob(repository: string, blob: BlobUpload, from?: string): Promise<"mounted" | "sent"> {
    return this.#patiently(async () => {
      const query =
        from === undefined ? "" : `?mount=${blob.digest}&from=${encodeURIComponent(from)}`;
      const what = `upload of ${repository} ${blob.digest}`;
      const call = { method: "POST", repository, action: "pull,push", what } as const;
      const headers = { "content-length": "0" };
      const opened = this.#must(
        await this.#once(`blobs/uploads/${query}`, { ...call, headers }),
        what,
      );
      drop(opened);
      if (opened.status === 201) return "mounted";
      await this.#send(uploadUrl(opened, blob.digest), blob, { ...call, method: "PUT" });
      return "sent";
    });
  }

  /** Puts a manifest under a tag or its digest. */
  async putManifest(repository: string, reference: string, manifest: RawManifest): Promise<void> {
    const what = `upload of ${repository} manifest ${reference}`;
    const answer = await this.#ask(`manifests/${reference}`, {
      method: "PUT",
      repository,
      action: "pull,push",
      headers: {
        "content-type": manifest.mediaType,
        "content-length": String(manifest.bytes.length),
      },
      body: manifest.bytes,
      what,
    });
    drop(this.#must(answer, what));
  }

  /** Ends idle connections. */
  close(): void {
    this.#http.close();
  }

  async #send(url: URL, blob: BlobUpload, call: Call): Promise<void> {
    const authorization = this.#authorizer.header(call.repository, call.action);
    const answer = await this.#http.send(url, {
      method: "PUT",
      headers: {
        "content-type": "application/octet-stream",
        "content-length": String(blob.size),
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: blob.open(),
    });
    drop(this.#must(answer, call.what));
  }

  /** Repeats what may pass by itself. 404 is an answer here. */
  async #ask(path: string, call: Call): Promise<HttpAnswer> {
    return this.#patiently(async () => {
      const answer = await this.#once(path, call);
      return answer.status === 404 ? answer : this.#must(answer, call.what);
    });
  }

  /** Repeats what may pass by itself; a host for which that was in vain is not asked again. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    if (this.#down !== undefined) throw this.#down;
    try {
      return await withRetry(this.#retry, work);
    } catch (error) {
      const lasting = error instanceof RemoteFailure && LASTING.has(error.kind);
      if (lasting) this.#down = error;
      throw error;
    }
  }

  async #once(path: string, call: Call): Promise<HttpAnswer> {
    const url = new URL(`${this.#base}/v2/${call.repository}/${path}`);
    const { repository, action } = call;
    const used = this.#authorizer.header(repository, action);
    const first = await this.#http.send(url, this.#withHeader(call));
    if (first.status !== 401) return first;
    drop(first);
    if (!(await this.#authorizer.answer(first, { repository, action, used }))) return first;
    return this.#http.send(url, this.#withHeader(call));
  }

  #withHeader(call: Call): HttpRequest {
    const authorization = this.#authorizer.header(call.repository, call.action);
    return authorization === undefined
      ? call
      : { ...call, headers: { ...call.headers, authorization } };
  }

  #must(answer: HttpAnswer, what: string): HttpAnswer {
    const retryAfter = answer.headers["retry-after"];
    const failure = statusFailure(answer.status, this.host, what, retryAfter);
    if (failure === undefined) return answer;
    drop(answer);
    throw failure;
  }
}

/** `sha256:<hex>` of some bytes. */
export function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Loopback registries speak plain HTTP, as docker and containerd take it, unless they have a CA. */
function baseOf({ host, plainHttp, ca }: RegistryOptions): string {
  const plain = plainHttp === true || (ca === undefined && LOOPBACK.test(host));
  return `${plain ? "http" : "https"}://${API_HOSTS[host] ?? host}`;
}

/** Where the content goes: the registry's own words (absolute or not), and the digest. */
function uploadUrl(opened: HttpAnswer, digest: string): URL {
  const { location } = opened.headers;
  if (location === undefined || !URL.canParse(location, opened.url.href))
    throw new RemoteFailure(
      "protocol",
      opened.url.host,
      "the registry names no place to upload to",
    );
  const url = new URL(location, opened.url);
  url.searchParams.set("digest", digest);
  return url;
}
