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

async function attempt(request: Download): Promise<Downloaded> {
  const partial = `${request.file}${PARTIAL}`;
  const handle = await open(partial, request.digest === undefined ? "w" : "a");
  try {
    const hash = createHash("sha256");
    const size = await fill(request, handle, hash);
    await handle.sync();
    const digest = `sha256:${hash.digest("hex")}`;
    if (request.digest === undefined || digest === request.digest) return { digest, size };
    // Nothing to go on with: a partial file that is wrong stays wrong.
    await rm(partial, { force: true });
    throw new RemoteFailure("protocol", "", `${request.digest} arrived as ${digest}`);
  } finally {
    await handle.close();
  }
}

/** Appends what is missing; gives the whole size. */
async function fill(request: Download, handle: FileHandle, hash: Hash): Promise<number> {
  const present = (await handle.stat()).size;
  const answer = await request.open(present);
  let size = present;
  if (present > 0 && answer.status === 206) {
    await pipeline(createReadStream(`${request.file}${PARTIAL}`), hash, { end: false });
  } else if (present > 0) {
    await handle.truncate(0);
    size = 0;
  }
  for await (const chunk of chunks(answer, request.signal)) {
    hash.update(chunk);
    await handle.appendFile(chunk);
    size += chunk.length;
    request.onBytes?.(chunk.length);
  }
  return size;
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
