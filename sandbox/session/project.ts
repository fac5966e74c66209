import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { parse, parseDocument, stringify } from "yaml";

/** Folder of the program under test: this repository. */
export const PROGRAM_ROOT = resolve(import.meta.dirname, "..", "..");

/** Folders of one sandbox's Pulumi side, all below its state folder. */
export interface ProjectLayout {
  /** A project of its own whose `main` is this repository's: Pulumi writes into stack files, and ours are tracked. */
  readonly project: string;
  readonly home: string;
  readonly backend: string;
  readonly passphraseFile: string;
  readonly charts: string;
  readonly logs: string;
  /** Where Node keeps compiled code from run to run. */
  readonly compileCache: string;
}

/** Where everything of a sandbox's Pulumi side lives. */
export function projectLayout(state: string): ProjectLayout {
  const root = join(state, "pulumi");
  return {
    project: join(root, "project"),
    home: join(root, "home"),
    backend: join(root, "backend"),
    passphraseFile: join(root, "passphrase"),
    charts: join(state, "charts"),
    logs: join(state, "logs"),
    compileCache: join(root, "compile-cache"),
  };
}

/** Makes the folders, the project file and a passphrase; leaves alone what is there. */
export async function prepareProject(layout: ProjectLayout): Promise<void> {
  for (const folder of [layout.project, layout.home, layout.backend, layout.logs]) {
    await mkdir(folder, { recursive: true });
  }
  // The CLI writes a log of every run into this folder (51 MB for an install); a file in its place stops that.
  await writeFile(join(layout.home, "logs"), "").catch(() => undefined);
  if (!existsSync(layout.passphraseFile)) {
    await writeFile(layout.passphraseFile, randomBytes(24).toString("hex"), { mode: 0o600 });
  }
  const program = parse(await readFile(join(PROGRAM_ROOT, "Pulumi.yaml"), "utf8")) as Record<
    string,
    unknown
  >;
  const main = relative(layout.project, join(PROGRAM_ROOT, String(program["main"])));
  await writeFile(join(layout.project, "Pulumi.yaml"), stringify({ ...program, main }));
}

/** What the sandbox knows and a stack file cannot: the cluster and where the charts are. */
export interface StackAdditions {
  readonly kubeconfig: string;
  /** Folder of charts; absent: the stack's own chart source (upstream). */
  readonly charts?: string;
  /** Further keys of the namespace `kserve:`, merged over the file's. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Writes a stack of the sandbox's project from a stack file. Keys that Pulumi itself added before (the salt of the
 * secrets) are kept, so that the stack stays readable.
 */
export async function writeStack(
  layout: ProjectLayout,
  stack: { readonly name: string; readonly file: string },
  additions: StackAdditions,
): Promise<string> {
  const document = parseDocument(await readFile(stack.file, "utf8"));
  document.setIn(["config", "kserve:kubernetes", "kubeconfig"], additions.kubeconfig);
  if (additions.charts !== undefined) {
    document.setIn(["config", "kserve:charts"], { source: "directory", path: additions.charts });
  }
  for (const [key, value] of Object.entries(additions.config ?? {}))
    document.setIn(["config", `kserve:${key}`], value);
  const target = join(layout.project, `Pulumi.${stack.name}.yaml`);
  if (existsSync(target)) {
    const salt: unknown = parseDocument(await readFile(target, "utf8")).get("encryptionsalt");
    if (salt !== undefined) document.set("encryptionsalt", salt);
  }
  await writeFile(target, document.toString());
  return target;
}
