import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { findExecutable } from "../toolchain/on-path.ts";
import { run } from "../toolchain/run.ts";
import type { RunResult } from "../toolchain/run.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";

/** Where packages go, and how getting them is stopped. */
export interface Unpacking {
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks packages of the Debian release of this machine into a folder; nothing is installed. apt checks them against
 * its signed lists. Gives their names with versions, sorted.
 */
export async function unpackDebian(
  names: readonly string[],
  { folder, signal }: Unpacking,
): Promise<string[]> {
  const debs = `${folder}.debs`;
  await mkdir(debs, { recursive: true });
  await mkdir(folder, { recursive: true });
  try {
    await downloadDebian(names, debs, signal);
    const files = (await readdir(debs)).filter((name) => name.endsWith(".deb")).sort();
    for (const file of files) {
      const result = await run("dpkg-deb", ["-x", join(debs, file), folder], { signal });
      if (result.code !== 0) throw debianError(names, result);
    }
    return files.map(packageOf);
  } finally {
    await rm(debs, { recursive: true, force: true });
  }
}

/** With the package lists of the machine; when they are missing or too old, with lists of our own. */
async function downloadDebian(
  names: readonly string[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const tools = ["apt-get", "dpkg-deb"].map((tool) =>
    findExecutable(tool, process.env["PATH"] ?? ""),
  );
  if ((await Promise.all(tools)).includes(undefined)) throw noDebianError(names);
  // Without it apt warns that its own user may not write here, and goes on.
  const options = ["-qq", "-o", "APT::Sandbox::User=root"];
  const download = (more: readonly string[]) =>
    run("apt-get", [...options, ...more, "download", ...names], { cwd: folder, signal });
  if ((await download([])).code === 0) return;
  const lists = join(folder, "lists");
  const own = ["-o", `Dir::State::Lists=${lists}`, "-o", `Dir::Cache=${lists}`];
  await mkdir(join(lists, "partial"), { recursive: true });
  const update = await run("apt-get", [...options, ...own, "update"], { signal });
  const result = update.code === 0 ? await download(own) : update;
  if (result.code !== 0) throw debianError(names, result);
}

/** `libc6_2.36-9+deb12u14_amd64.deb` as `libc6 2.36-9+deb12u14`; a colon in a version is written `%3a`. */
function packageOf(file: string): string {
  return decodeURIComponent(file).split("_").slice(0, 2).join(" ");
}

function noDebianError(names: readonly string[]) {
  return sandboxError({
    code: "sandbox-images-debian",
    where: `Debian packages ${names.join(", ")}`,
    found: "no apt-get and dpkg-deb on PATH",
    allowed: "a machine with Debian 12, whose packages the images are made of",
    fix: "run the sandbox on Debian 12, or give a bundle with the images (--bundle)",
  });
}

function debianError(names: readonly string[], { errorTail }: RunResult) {
  return sandboxError({
    code: "sandbox-images-debian",
    where: `Debian packages ${names.join(", ")}`,
    found: `they cannot be brought:\n    ${errorTail.slice(-4).join("\n    ")}`,
    allowed: "packages of Debian 12 from the package sources of this machine",
    fix: "check that `apt-get update` works, or give a bundle with the images (--bundle)",
  });
}
