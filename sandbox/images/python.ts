import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../toolchain/run.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";

/** Where Debian's Python looks for packages that are not Debian's, below its root. */
export const SITE = "usr/local/lib/python3.11/dist-packages";

/** Folder of Python programs and requirements. */
export const PYTHON_FILES = join(import.meta.dirname, "python");

const TRIPLET = "x86_64-linux-gnu";
const LOADER = `lib/${TRIPLET}/ld-linux-x86-64.so.2`;
const INTERPRETER = "usr/bin/python3.11";

/** The Python of an image whose files lie in a folder: it runs where it lies, without chroot. */
export interface ImagePython {
  readonly root: string;
  /** What it is used for, in reports. */
  readonly purpose: string;
  readonly signal?: AbortSignal | undefined;
}

/** Runs the image's own Python with the image's own libraries. */
export async function runPython(
  { root, purpose, signal }: ImagePython,
  args: readonly string[],
  packages?: string,
): Promise<void> {
  const libraries = ["lib", "usr/lib"].map((folder) => join(root, folder, TRIPLET)).join(":");
  const command = ["--library-path", libraries, join(root, INTERPRETER), ...args];
  const env = {
    ...process.env,
    PYTHONHOME: join(root, "usr"),
    // Sets have one order with it, compiled files and models too.
    PYTHONHASHSEED: "0",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONNOUSERSITE: "1",
    PYTHONPATH: packages ?? "",
  };
  const result = await run(join(root, LOADER), command, { env, signal });
  if (result.code === 0) return;
  throw sandboxError({
    code: "sandbox-images-python",
    where: purpose,
    found: `Python failed:\n    ${result.errorTail.slice(-6).join("\n    ")}`,
    allowed: "packages at the pinned versions and hashes from a Python package index",
    fix: "check that pip on this machine reaches its package index, then start the sandbox again",
  });
}

/** Installs exactly what a requirements file names, checked by its hashes, and nothing beside it. */
export async function installPackages(
  python: ImagePython,
  { requirements, pip, target }: { requirements: string; pip: string; target: string },
): Promise<void> {
  const args = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
  args.push("--root-user-action", "ignore", "--require-hashes", "--no-deps", "--no-compile");
  args.push("--only-binary", ":all:", "--target", target, "--requirement", requirements);
  await runPython(python, args, pip);
  await trim(target);
}

/**
 * Compiles every module below a folder, which is at `inside` in the image. Compiled files that are checked by time would
 * be thrown away at every start, since files in layers have another time than on this machine: these are not checked.
 */
export async function compilePython(
  python: ImagePython,
  folder: string,
  inside: string,
): Promise<void> {
  const args = ["-m", "compileall", "-q", "-j", "2", "--invalidation-mode", "unchecked-hash"];
  await runPython(python, [...args, "-s", folder, "-p", inside, folder]);
}

/** Tests, and what only compilers and editors read. */
const NEVER_RUN_FOLDER = /^(?:tests?|__pycache__)$/;
const NEVER_RUN_FILE = /\.(?:pyi|pyx|pxd|pxi|h|hpp|c|cpp|f90|a)$/;
/** Written by pip: they hold paths of this machine. */
const WRITTEN_BY_PIP = /^(?:RECORD|INSTALLER|REQUESTED|direct_url\.json)$/;
/** numpy.testing, which SciPy imports, imports from the tests of numpy (numpy/numpy@v2.4.4:numpy/testing/_private/utils.py). */
const NEEDED_TESTS = /numpy\/_core\/tests$/;

async function trim(target: string): Promise<void> {
  await rm(join(target, "bin"), { recursive: true, force: true });
  const entries = await readdir(target, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const folder = NEVER_RUN_FOLDER.test(entry.name) && !NEEDED_TESTS.test(path);
    const file = NEVER_RUN_FILE.test(entry.name) || WRITTEN_BY_PIP.test(entry.name);
    if (entry.isDirectory() ? folder : file) await rm(path, { recursive: true, force: true });
  }
}
