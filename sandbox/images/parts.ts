import type { Stats } from "node:fs";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, posix } from "node:path";

/** Where something goes in an image, and whose it is there. */
interface Place {
  /** Absolute path in the image. */
  readonly to: string;
  /** User and group in the image, by number. @default 0 */
  readonly owner?: number;
}

/** Something that goes into a layer. */
export type LayerPart =
  /** A file, or a folder with all that is in it. */
  | (Place & { readonly kind: "copy"; readonly from: string })
  | (Place & { readonly kind: "text"; readonly text: string })
  | (Place & { readonly kind: "link"; readonly target: string })
  | (Place & { readonly kind: "folder"; readonly mode?: number });

/** One entry of a layer's archive. */
export interface LayerEntry {
  readonly type: "File" | "Directory" | "SymbolicLink" | "Link";
  /** Without a slash at its start. */
  readonly path: string;
  readonly mode: number;
  readonly owner: number;
  readonly size: number;
  readonly linkpath?: string;
  readonly content?: () => AsyncIterable<Buffer>;
}

const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;
const PROGRAM_MODE = 0o755;
const LINK_MODE = 0o777;
const ANY_EXECUTE = 0o111;

/**
 * The entries of a layer: folders before what is in them, names in one order, everything else as the parts say. Modes of
 * copied files are made 644 or 755, and times and owners are never copied, so that a layer does not depend on the umask
 * or the user of the machine that makes it. Two names of one file stay one file (a hard link). Sockets and devices are
 * left out.
 */
export async function* entriesOf(parts: readonly LayerPart[]): AsyncGenerator<LayerEntry> {
  const seen = new Set<string>();
  const fresh = (path: string) => path !== "" && !seen.has(path) && seen.add(path);
  const files = new Map<string, string>();
  for (const part of parts) {
    const path = insidePath(part.to);
    for (const parent of parentsOf(path)) if (fresh(parent)) yield folder(parent);
    for await (const entry of entriesOfPart(part, path, files)) {
      if (fresh(entry.path)) yield entry;
      else if (entry.type !== "Directory") throw new Error(`two files for /${entry.path}`);
    }
  }
}

async function* entriesOfPart(
  part: LayerPart,
  path: string,
  files: Map<string, string>,
): AsyncGenerator<LayerEntry> {
  const owner = part.owner ?? 0;
  switch (part.kind) {
    case "copy":
      yield* copied(part.from, { path, owner, files });
      break;
    case "text":
      yield text(path, owner, part.text);
      break;
    case "link":
      yield link(path, owner, part.target);
      break;
    case "folder":
      yield folder(path, owner, part.mode);
  }
}

interface Copy {
  readonly path: string;
  readonly owner: number;
  /** First path of each file that has several, by device and inode. */
  readonly files: Map<string, string>;
}

async function* copied(from: string, copy: Copy): AsyncGenerator<LayerEntry> {
  const { path, owner } = copy;
  const found = await lstat(from);
  if (found.isSymbolicLink()) yield link(path, owner, await readlink(from));
  else if (found.isFile()) yield file(from, copy, found);
  else if (found.isDirectory()) {
    yield folder(path, owner);
    const names = (await readdir(from)).sort((one, two) => (one < two ? -1 : 1));
    for (const name of names)
      yield* copied(join(from, name), { ...copy, path: posix.join(path, name) });
  }
}

function file(from: string, { path, owner, files }: Copy, found: Stats): LayerEntry {
  const mode = (found.mode & ANY_EXECUTE) === 0 ? FILE_MODE : PROGRAM_MODE;
  const id = `${String(found.dev)}:${String(found.ino)}`;
  const first = files.get(id);
  if (found.nlink > 1 && first !== undefined)
    return { type: "Link", path, mode, owner, size: 0, linkpath: first };
  if (found.nlink > 1) files.set(id, path);
  const content = () => createReadStream(from) as AsyncIterable<Buffer>;
  return { type: "File", path, mode, owner, size: found.size, content };
}

function text(path: string, owner: number, content: string): LayerEntry {
  const bytes = Buffer.from(content);
  const read = async function* () {
    yield await Promise.resolve(bytes);
  };
  return { type: "File", path, mode: FILE_MODE, owner, size: bytes.length, content: read };
}

function link(path: string, owner: number, linkpath: string): LayerEntry {
  return { type: "SymbolicLink", path, mode: LINK_MODE, owner, size: 0, linkpath };
}

function folder(path: string, owner = 0, mode = FOLDER_MODE): LayerEntry {
  return { type: "Directory", path, mode, owner, size: 0 };
}

function insidePath(to: string): string {
  return posix.normalize(`/${to}`).replace(/^\/|\/$/g, "");
}

function parentsOf(path: string): string[] {
  const names = path.split("/").slice(0, -1);
  return names.map((_name, index) => names.slice(0, index + 1).join("/"));
}
