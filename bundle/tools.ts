import { RemoteFailure } from "../registry/failure.ts";
import { download } from "./download.ts";
import type { Downloaded } from "./download.ts";
import type { Remote } from "./remote.ts";

/** A program to carry, as its project publishes it. */
export interface ToolFile {
  readonly name: string;
  readonly version: string;
  /** Path below the bundle's folder. */
  readonly file: string;
  readonly url: string;
  /** Where its SHA-256 is published. */
  readonly checksumUrl: string;
  /** Lower case hex in the text at `checksumUrl`; `undefined` when the text does not have it. */
  readonly readChecksum: (text: string) => string | undefined;
}

/** Brings a program, held against the checksum that its project publishes. */
export async function fetchTool(remote: Remote, tool: ToolFile, path: string): Promise<Downloaded> {
  const hex = tool.readChecksum(await remote.text(tool.checksumUrl));
  if (hex === undefined)
    throw new RemoteFailure(
      "protocol",
      new URL(tool.checksumUrl).host,
      `no checksum of ${tool.file} at ${tool.checksumUrl}`,
    );
  const open = (from: number) => remote.open(tool.url, from);
  return download({ file: path, digest: `sha256:${hex}`, open, retry: remote.retry });
}
