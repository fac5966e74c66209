import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { networkFailure, RemoteFailure } from "../registry/failure.ts";
import type { HttpAnswer } from "../registry/http.ts";
import { withRetry } from "../registry/retry.ts";
import type { RetryPolicy } from "../registry/retry.ts";

/** End of the names of files that are not whole yet. */
export const PARTIAL = ".partial";

/** What is downloaded, and where to. */
export interface Download {
  /** Final path; the file exists under this name only when it is whole and right. */
  readonly file: string;
  /** `sha256:<hex>` that the content must have; absent: whatever the server sends. */
  readonly digest?: string;
  /** Asks for the content from byte `from` on. */
  readonly open: (from: number) => Promise<HttpAnswer>;
  readonly retry: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of each chunk. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** A whole file. */
export interface Downloaded {
  /** `sha256:<hex>`. */
  readonly digest: string;
  readonly size: number;
}

/**
 * Downloads a file by way of `<file>.partial` and a rename. What an interrupted download left is gone on with where the
 * digest is known, since only then a mixture would be noticed. A broken connection is repeated from where it broke.
 */
export async function download(request: Download): Promise<Downloaded> {
  await mkdir(dirname(request.file), { recursive: true });
  const result = await withRetry(request.retry, () => attempt(request));
  await rename(`${request.file}${PARTIAL}`, request.file);
  return result;
}

/** SHA-256 (`sha256:<hex>`) and size of a file. */
export async function hashFile(file: string): Promise<Downloaded> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return { digest: `sha256:${hash.digest("hex")}`, size: (await stat(file)).size };
}

/** Once with what is there already; when that turns out to be something else, once from the start. */
async function attempt(request: Download): Promise<Downloaded> {
  const partial = `${request.file}${PARTIAL}`;
  const known = request.digest !== undefined;
  if (!known) await rm(partial, { force: true });
  const start = await begun(partial);
  const first = await continueFrom(request, start);
  if (!known || first.digest === request.digest) return first;
  await rm(partial, { force: true });
  const second = start.size === 0 ? first : await continueFrom(request, await begun(partial));
  if (second.digest === request.digest) return second;
  await rm(partial, { force: true });
  throw new RemoteFailure("protocol", "", `${request.digest ?? ""} arrived as ${second.digest}`);
}

interface Begun {
  readonly hash: Hash;
  readonly size: number;
}

/** What an earlier attempt left, hashed. */
async function begun(partial: string): Promise<Begun> {
  const hash = createHash("sha256");
  const size = await stat(partial).then(
    (found) => found.size,
    () => 0,
  );
  if (size > 0) await pipeline(createReadStream(partial), hash, { end: false });
  return { hash, size };
}

async function continueFrom(request: Download, start: Begun): Promise<Downloaded> {
  const whole = `sha256:${start.hash.copy().digest("hex")}`;
  // Everything had arrived, and only the renaming was missing.
  if (start.size > 0 && whole === request.digest) return { digest: whole, size: start.size };
  const handle = await open(`${request.file}${PARTIAL}`, "a");
  try {
    const { hash, size } = await fill(request, handle, start);
    await handle.sync();
    return { digest: `sha256:${hash.digest("hex")}`, size };
  } finally {
    await handle.close();
  }
}

/** Appends what is missing. A server that does not keep to ranges sends all of it again. */
async function fill(request: Download, handle: FileHandle, start: Begun): Promise<Begun> {
  const answer = await request.open(start.size).catch((error: unknown) => {
    // What is there is longer than the content: it is something else.
    if (start.size > 0 && error instanceof RemoteFailure && error.details.status === 416)
      return request.open(0);
    throw error;
  });
  let { hash, size } = start;
  if (start.size > 0 && answer.status !== 206) {
    await handle.truncate(0);
    hash = createHash("sha256");
    size = 0;
  }
  for await (const chunk of chunks(answer, request.signal)) {
    hash.update(chunk);
    await handle.appendFile(chunk);
    size += chunk.length;
    request.onBytes?.(chunk.length);
  }
  return { hash, size };
}

/** The body, with errors of the network told from errors of the disk. */
async function* chunks(answer: HttpAnswer, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const parts = answer.body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = await parts.next().catch((error: unknown) => {
        signal?.throwIfAborted();
        throw networkFailure(error, answer.url.host);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    answer.body.destroy();
  }
}
