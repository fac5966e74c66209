import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** A file of the bundle. */
const carried = {
  /** Path below the bundle's folder, with forward slashes. */
  file: z.string().regex(/^[\w@+~-][\w@.+~/-]*$/),
  sha256,
  /** Bytes. */
  size: z.int().min(0),
};

const image = z.strictObject({
  /** Upstream reference. */
  upstream: z.string(),
  /** Reference under which the stack installs it. */
  installed: z.string(),
  digest,
  /** Bytes of all its platforms when it shares nothing. */
  size: z.int().min(0),
  optional: z.array(z.string()).optional(),
  usedBy: z.array(z.string()),
});

const bundle = z.strictObject({
  bundleVersion: z.literal(1),
  mode: z.string(),
  releases: z.record(z.string(), z.string()),
  parts: z.array(z.string()),
  images: z.array(image),
  charts: z.array(
    z.strictObject({ name: z.string(), version: z.string(), repository: z.string(), ...carried }),
  ),
  manifests: z.array(z.strictObject({ url: z.string(), ...carried })),
  tools: z.array(
    z.strictObject({ name: z.string(), version: z.string(), url: z.string(), ...carried }),
  ),
  packages: z.array(
    z.strictObject({ name: z.string(), version: z.string(), integrity: z.string(), ...carried }),
  ),
  models: z.array(z.strictObject({ name: z.string(), storage: z.string(), ...carried })),
  totals: z.strictObject({
    images: z.int(),
    /** Bytes of all images, each layer once. */
    imageBytes: z.int(),
    /** Bytes that sharing layers saves. */
    savedBytes: z.int(),
    files: z.int(),
    fileBytes: z.int(),
  }),
});

/** What a finished bundle holds: the same stack file and the same upstream give the same bytes. */
export type BundleManifest = z.infer<typeof bundle>;
export type ManifestImage = z.infer<typeof image>;

/** Names of the files at the top of a bundle. */
export const NAMES = {
  manifest: "bundle.json",
  checksums: "SHA256SUMS",
  hauler: "hauler.yaml",
  skopeo: "skopeo-sync.yaml",
  commands: "COMMANDS.md",
  journal: ".journal",
  images: "images",
  charts: "charts",
} as const;

/** Text of `bundle.json`. */
export function formatManifest(manifest: BundleManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Reads `bundle.json`; `undefined` when the text is none. */
export function parseBundleManifest(text: string): BundleManifest | undefined {
  try {
    return bundle.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Lines of `sha256sum`, by path. */
export function formatChecksums(files: ReadonlyMap<string, string>): string {
  return [...files]
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([file, hex]) => `${hex}  ${file}\n`)
    .join("");
}

/** Reads lines of `sha256sum`: digest by path. Paths that leave the folder are refused with all others. */
export function parseChecksums(text: string): ReadonlyMap<string, string> | undefined {
  const lines = text.split("\n").filter((line) => line !== "");
  const pairs = lines.map((line) => /^([0-9a-f]{64}) [ *](.+)$/.exec(line));
  const entries = pairs.map((pair) => [pair?.[2] ?? "..", pair?.[1] ?? ""] as const);
  const outside = entries.some(([path]) => path.startsWith("/") || path.split("/").includes(".."));
  return outside ? undefined : new Map(entries);
}
