import type { Descriptor } from "../../bundle/oci.ts";
import { writeWhole } from "../../bundle/store.ts";
import type { ImageStore } from "../../bundle/store.ts";
import { digestOfBytes } from "../../registry/registry.ts";
import type { RawManifest } from "../../registry/registry.ts";
import type { Layer } from "./layer.ts";

/** How containers of an image run (OCI image specification, config.md), in the words of a Dockerfile. */
export interface RunConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `uid[:gid]`, by number: a pod with `runAsNonRoot` is refused when it cannot be told from the name. */
  readonly user?: string;
  readonly workdir?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** `8080/tcp`. */
  readonly ports?: readonly string[];
}

/** How the sandbox came by an image that it made. */
export type Made = "built" | "stand-in server" | "stand-in";

const OCI = "application/vnd.oci.image";
/** Annotation of a manifest: the sandbox made the image, and how ({@link Made}), so that a registry's content can be told apart. */
export const MADE = "kserve-platform.sandbox/made";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Names of Go and OCI for what Node calls x64 and arm64 (OCI image specification, config.md). */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Makes an image of layers that the store holds. The same layers and configuration give the same digest. */
export async function putImage(
  store: ImageStore,
  layers: readonly Layer[],
  { run, made }: { readonly run: RunConfig; readonly made: Made },
): Promise<RawManifest> {
  const config = json(configOf(layers, run));
  const content = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: {
      mediaType: `${OCI}.config.v1+json`,
      digest: digestOfBytes(config),
      size: config.length,
    },
    layers: layers.map(({ mediaType, digest, size }): Descriptor => ({ mediaType, digest, size })),
    annotations: { [MADE]: made },
  };
  const bytes = json(content);
  const manifest = { digest: digestOfBytes(bytes), mediaType: content.mediaType, bytes };
  if (!(await store.has(content.config)))
    await writeWhole(store.path(content.config.digest), config);
  await store.putManifest(manifest);
  return manifest;
}

/** How the sandbox made the image of a manifest; `undefined` when it did not. */
export function madeOf({ bytes }: RawManifest): string | undefined {
  const { annotations } = JSON.parse(bytes.toString("utf8")) as {
    annotations?: Record<string, string>;
  };
  return annotations?.[MADE];
}

function configOf(layers: readonly Layer[], run: RunConfig): unknown {
  const env = { PATH, ...run.env };
  return {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: "linux",
    config: {
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...(run.entrypoint === undefined ? {} : { Entrypoint: run.entrypoint }),
      ...(run.cmd === undefined ? {} : { Cmd: run.cmd }),
      ...(run.user === undefined ? {} : { User: run.user }),
      ...(run.workdir === undefined ? {} : { WorkingDir: run.workdir }),
      ...(run.labels === undefined ? {} : { Labels: run.labels }),
      ...(run.ports === undefined ? {} : { ExposedPorts: emptyObjects(run.ports) }),
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  };
}

function emptyObjects(keys: readonly string[]): Record<string, object> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

function json(content: unknown): Buffer {
  return Buffer.from(JSON.stringify(content));
}
