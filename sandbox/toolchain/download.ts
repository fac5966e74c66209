import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar";
import { run } from "./run.ts";
import { sandboxError } from "./sandbox-error.ts";
import type { Release } from "./releases.ts";
import type { ToolName } from "./tools.ts";

/** A host that has not answered a request for a few hundred bytes by now is taken as out of reach. */
const CHECKSUM_TIMEOUT_MS = 4_000;
/** A download that has brought nothing for this long is given up. */
const STALL_TIMEOUT_MS = 30_000;

/** A release whose published checksum could be read, so that its host is in reach. */
export interface ReachableRelease {
  readonly name: ToolName;
  readonly release: Release;
  /** Lower case hex. */
  readonly sha256: string;
}

/**
 * Asks for all checksums at the same time and gives back those that came. Hosts that refuse, do not resolve or do
 * not answer are left out without an error, and none is asked twice: the whole takes one timeout at most.
 */
export async function reachableReleases(
  wanted: ReadonlyMap<ToolName, Release>,
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number } = {},
): Promise<ReachableRelease[]> {
  const texts = new Map<string, Promise<string | undefined>>();
  const found = [...wanted].map(async ([name, release]) => {
    const text = texts.get(release.checksumUrl) ?? fetchText(release.checksumUrl, options);
    texts.set(release.checksumUrl, text);
    const sha256 = readChecksum((await text) ?? "", release);
    return sha256 === undefined ? [] : [{ name, release, sha256 }];
  });
  return (await Promise.all(found)).flat();
}

/** The SHA-256 that a checksum text states for the release's file, in lower case hex. */
export function readChecksum(text: string, release: Release): string | undefined {
  return release.checksumForm === "sums"
    ? readSums(text, release.file)
    : readGithubRelease(text, release.file);
}

/**
 * Downloads, verifies and unpacks into `folder`, where the program then is under the tool's name. Gives false when
 * the network fails; a file that differs from its published checksum is an error, never a fallback.
 */
export async function downloadRelease(
  reachable: ReachableRelease,
  folder: string,
  options: { signal?: AbortSignal | undefined; onBytes?: (done: number, total: number) => void },
): Promise<boolean> {
  const { name, release, sha256 } = reachable;
  const file = `${folder}.download`;
  try {
    const fetched = await fetchFile(release.url, file, options);
    if (!fetched) return false;
    await verify(file, reachable);
    await unpack(file, folder, name, release);
    return true;
  } finally {
    await rm(file, { force: true });
  }

  async function verify(path: string, expected: ReachableRelease): Promise<void> {
    const actual = await sha256Of(path);
    if (actual !== sha256) throw checksumError(expected, actual);
  }
}

/** SHA-256 of a file, lower case hex. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function readSums(text: string, file: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
  const single = lines.length === 1 || (lines.length === 2 && lines[1]?.[0] === "");
  const line = lines.find(
    (words) => words[1]?.replace(/^\*/, "") === file || (single && words.length === 1),
  );
  return hexDigest(line?.[0]);
}

function readGithubRelease(text: string, file: string): string | undefined {
  try {
    const release = JSON.parse(text) as { assets?: { name?: string; digest?: string | null }[] };
    const digest = release.assets?.find((asset) => asset.name === file)?.digest;
    return hexDigest(digest?.replace(/^sha256:/, ""));
  } catch {
    return undefined;
  }
}

function hexDigest(text: string | undefined): string | undefined {
  return text !== undefined && /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined;
}

async function fetchText(
  url: string,
  {
    signal,
    timeoutMs = CHECKSUM_TIMEOUT_MS,
  }: { signal?: AbortSignal | undefined; timeoutMs?: number },
): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: withTimeout(timeoutMs, signal) });
    return response.ok ? await response.text() : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

async function fetchFile(
  url: string,
  file: string,
  options: { signal?: AbortSignal | undefined; onBytes?: (done: number, total: number) => void },
): Promise<boolean> {
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), STALL_TIMEOUT_MS);
  const signal = AbortSignal.any([stall.signal, ...(options.signal ? [options.signal] : [])]);
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) return false;
    const total = Number(response.headers.get("content-length") ?? 0);
    const meter = byteMeter((done) => {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), STALL_TIMEOUT_MS);
      options.onBytes?.(done, total);
    });
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(file), { signal });
    return true;
  } catch {
    options.signal?.throwIfAborted();
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function byteMeter(onBytes: (done: number) => void): Transform {
  let done = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length;
      onBytes(done);
      next(null, chunk);
    },
  });
}

async function unpack(file: string, folder: string, name: ToolName, release: Release) {
  if (release.archive === "none") {
    await mkdir(folder, { recursive: true });
    await rename(file, join(folder, name));
  } else {
    const unpacked = `${folder}.unpacked`;
    await mkdir(unpacked, { recursive: true });
    if (release.archive === "tgz") await extract({ file, cwd: unpacked });
    // Zip files are published for macOS only, whose own tar reads them.
    else await run("/usr/bin/tar", ["-xf", file, "-C", unpacked], {});
    await rename(join(unpacked, release.folder), folder);
    await rm(unpacked, { recursive: true, force: true });
  }
  await chmod(join(folder, name), 0o755);
}

function withTimeout(milliseconds: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function checksumError(expected: ReachableRelease, actual: string) {
  return sandboxError({
    code: "sandbox-download-checksum",
    where: expected.release.url,
    found: `SHA-256 ${actual}`,
    allowed: `SHA-256 ${expected.sha256}`,
    source: expected.release.checksumUrl,
    fix:
      `find out who changes this download (a proxy that rewrites files is usual), or put a ${expected.name} ` +
      "that you trust on PATH",
  });
}
