import { z } from "zod";
import { formatReference, parseReference } from "./reference.ts";

/** What the lock needs to know about an image of a stack. */
export interface LockableImage {
  readonly layer: string;
  /** Full upstream reference, with the digest where the catalog knows it. */
  readonly upstream: string;
  /** The reference that is installed. */
  readonly image: string;
  readonly usedBy: string;
  readonly optional?: string;
}

const lockedImage = z.strictObject({
  /** The reference that is installed, without digest. */
  image: z.string(),
  upstream: z.string(),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  /** Who vouches for the digest: the registry that was asked, the catalog, or nobody (`tag`). */
  from: z.enum(["registry", "catalog", "tag"]),
  /** Features or runtimes that need it; absent: always needed. */
  optional: z.array(z.string()).optional(),
  usedBy: z.array(z.string()),
});
/** One image of a lock file. */
export type LockedImage = z.infer<typeof lockedImage>;

const lockFile = z.strictObject({
  lockVersion: z.literal(1),
  mode: z.string(),
  releases: z.record(z.string(), z.string()),
  images: z.array(lockedImage),
});
/** The images of a stack on one day, by digest as far as somebody could say. */
export type LockFile = z.infer<typeof lockFile>;

/** A tag that does not mean what it meant, or what the catalog says it means. */
export interface MovedTag {
  readonly image: string;
  /** Digest that was expected. */
  readonly expected: string;
  readonly by: "catalog" | "lock file";
  /** Digest that the registry serves now. */
  readonly found: string;
}

/**
 * Images in a fixed order, one entry per installed reference. `digests` holds what registries answered, by reference
 * without digest. A digest that an earlier lock had from a registry stays when the registry is silent today.
 */
export function lockImages(
  images: readonly LockableImage[],
  digests: ReadonlyMap<string, string>,
  previous?: LockFile,
): { readonly images: LockedImage[]; readonly moved: MovedTag[] } {
  const before = new Map(previous?.images.map((image) => [image.image, image]));
  const groups = Map.groupBy(images, ({ image }) => withoutDigest(image));
  const locked = [...groups]
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([image, uses]) => lockOne(image, uses, digests.get(image), before.get(image)));
  return {
    images: locked.map((item) => item.locked),
    moved: locked.flatMap((item) => item.moved ?? []),
  };
}

/** A reference as registries are asked for it. */
export function withoutDigest(image: string): string {
  const reference = parseReference(image);
  if (reference?.digest === undefined || reference.tag === undefined) return image;
  const { digest: _digest, ...tagged } = reference;
  return formatReference(tagged);
}

/** Text of a lock file: the same images give the same bytes. */
export function formatLock(lock: LockFile): string {
  return `${JSON.stringify(lock, null, 2)}\n`;
}

/** Reads a lock file; `undefined` when the text is none. */
export function parseLock(text: string): LockFile | undefined {
  try {
    return lockFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function lockOne(
  image: string,
  uses: readonly LockableImage[],
  answer: string | undefined,
  before: LockedImage | undefined,
): { readonly locked: LockedImage; readonly moved?: MovedTag } {
  const upstream = uses[0]?.upstream ?? image;
  const catalog = parseReference(upstream)?.digest;
  const kept = before?.from === "registry" ? before.digest : undefined;
  const locked: LockedImage = {
    image,
    upstream: withoutDigest(upstream),
    ...vouch(catalog, answer ?? kept),
    ...optionalOf(uses),
    usedBy: sorted(uses.map((use) => `${use.layer}: ${use.usedBy}`)),
  };
  const moved = movedTag(image, answer, { catalog, kept });
  return moved === undefined ? { locked } : { locked, moved };
}

function movedTag(
  image: string,
  found: string | undefined,
  { catalog, kept }: Readonly<Record<"catalog" | "kept", string | undefined>>,
): MovedTag | undefined {
  const expected = catalog ?? kept;
  if (found === undefined || expected === undefined || found === expected) return undefined;
  return { image, expected, by: catalog === undefined ? "lock file" : "catalog", found };
}

/** The catalog's digest is what gets installed, so a registry can confirm it but not replace it. */
function vouch(
  catalog: string | undefined,
  registry: string | undefined,
): Pick<LockedImage, "digest" | "from"> {
  const digest = catalog ?? registry;
  if (digest === undefined) return { from: "tag" };
  return { digest, from: digest === registry ? "registry" : "catalog" };
}

/** Needed always as soon as one use is not optional. */
function optionalOf(uses: readonly LockableImage[]): { optional?: string[] } {
  const needs = uses.flatMap((use) => use.optional ?? []);
  return needs.length < uses.length ? {} : { optional: sorted(needs) };
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
