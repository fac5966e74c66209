import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { list } from "tar";
import { sandboxError } from "../toolchain/sandbox-error.ts";

/** How containerd names an image in an OCI archive: containerd@v1.6.20:images/annotations.go. */
const NAME = "io.containerd.image.name";

/** The full name of the first image in an OCI archive. */
export async function imageName(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  await list({
    file,
    filter: (path) => path.replace(/^\.\//, "") === "index.json",
    onReadEntry: (entry) => void entry.on("data", (chunk: Buffer) => chunks.push(chunk)),
  }).catch(() => undefined);
  const name = nameIn(Buffer.concat(chunks).toString("utf8"));
  if (name !== undefined) return name;
  throw sandboxError({
    code: "sandbox-real-image",
    where: file,
    found: `no image with the annotation ${NAME} in its index.json`,
    allowed: "an OCI archive (tar) whose index names its image in full, registry host included",
    fix: "make the archive again",
  });
}

/** Known by name, size and time: an archive that was imported under the same mark is not imported again. */
export async function archiveMark(file: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  return createHash("sha256").update(`${file}\n${size}\n${mtimeMs}`).digest("hex").slice(0, 16);
}

interface Index {
  readonly manifests?: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

function nameIn(text: string): string | undefined {
  try {
    const { manifests } = JSON.parse(text) as Index;
    return manifests?.map(({ annotations }) => annotations?.[NAME]).find((name) => name);
  } catch {
    return undefined;
  }
}
