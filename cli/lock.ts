import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, resolve as resolvePath } from "node:path";
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { formatLock, lockImages, parseLock, withoutDigest } from "../images/lock.ts";
import type { LockFile, MovedTag } from "../images/lock.ts";
import type { Plan } from "../plan/plan.ts";
import type { Finish } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";
import { RegistryClient } from "./registry-client.ts";
import type { DigestAnswer } from "./registry-client.ts";
import { requirePlan, stackFile } from "./stack.ts";

const TIMEOUT_SECONDS = 5;

interface Options {
  readonly output?: string;
  readonly offline?: boolean;
  readonly check?: boolean;
  readonly timeout: number;
  readonly kubernetes?: string;
}

/** `platform lock`: the images of a stack by digest, as far as registry or catalog know it. */
export function addLock(program: Command, finish: Finish): void {
  program
    .command("lock")
    .description("write the images of a stack with their digests to a file beside the stack file")
    .argument("<stack>", "stack name (online) or path of a stack file")
    .option("-o, --output <file>", "file to write (default: <stack file>.lock.json)")
    .option("--offline", "ask no registry: digests of the catalog, else tags")
    .option("--check", "write nothing; fail when the file is not what would be written")
    .option("--timeout <seconds>", "time for each question", seconds, TIMEOUT_SECONDS)
    .option(
      "--kubernetes <version>",
      "Kubernetes version to assume where the stack file names none",
    )
    .action(async (stack: string, options: Options) => {
      const plan = await requirePlan(stack, options.kubernetes);
      finish(plan === undefined ? ExitCode.Problems : await lock(plan, stack, options));
    });
}

async function lock(plan: Plan, stack: string, options: Options): Promise<number> {
  const file = resolvePath(options.output ?? lockPath(stackFile(stack)));
  const text = await readFile(file, "utf8").catch(() => undefined);
  const answers = await askRegistries(plan, options);
  const digests = new Map(
    [...answers].flatMap(([image, answer]) => ("digest" in answer ? [[image, answer.digest]] : [])),
  );
  const previous = text === undefined ? undefined : parseLock(text);
  const { images, moved } = lockImages(plan.images, digests, previous);
  const result = lockOf(plan, images);
  process.stdout.write(summary(result, answers));
  for (const tag of moved) process.stderr.write(movedText(tag));
  const outcome = moved.length === 0 ? ExitCode.Fine : ExitCode.Problems;
  const wanted = formatLock(result);
  if (options.check === true) return wanted === text ? outcome : stale(file, text);
  const failure = wanted === text ? undefined : await writeWhole(file, wanted);
  if (failure !== undefined) return notWritten(file, failure);
  process.stdout.write(`${wanted === text ? "unchanged" : "written"}: ${basename(file)}\n`);
  return outcome;
}

function lockOf(plan: Plan, images: LockFile["images"]): LockFile {
  const { mode = "", versions } = plan.selection;
  const { kubernetes: _kubernetes, ...releases } = versions;
  return { lockVersion: 1, mode, releases: sortKeys(releases), images };
}

async function askRegistries(
  plan: Plan,
  options: Options,
): Promise<ReadonlyMap<string, DigestAnswer>> {
  if (options.offline === true) return new Map();
  const client = new RegistryClient(options.timeout * 1000);
  return client.digests(plan.images.map(({ image }) => withoutDigest(image)));
}

/** `Pulumi.online.yaml` has its lock in `Pulumi.online.lock.json`. */
function lockPath(file: string): string {
  return `${file.replace(/\.ya?ml$/, "")}.lock.json`;
}

function summary(lockFile: LockFile, answers: ReadonlyMap<string, DigestAnswer>): string {
  const by = Map.groupBy(lockFile.images, ({ from }) => from);
  const count = (from: "registry" | "catalog" | "tag"): string => String(by.get(from)?.length ?? 0);
  const reasons = (by.get("tag") ?? []).map(({ image }) => {
    const answer = answers.get(image);
    return answer === undefined || "digest" in answer ? "no registry was asked" : answer.reason;
  });
  const lines = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([reason, all]) => `  ${String(all.length)} by tag only: ${reason}`,
  );
  return [
    `${String(lockFile.images.length)} images: ${count("registry")} digests from a registry, ${count("catalog")} from the catalog, ${count("tag")} by tag only`,
    ...lines,
    "",
  ].join("\n");
}

function movedText({ image, expected, by, found }: MovedTag): string {
  return [
    `[lock-tag-moved] ${image}`,
    `  found:   ${found}`,
    `  allowed: ${expected}, says the ${by}`,
    by === "catalog"
      ? "  to do:   mirror the digest that the catalog names; the tag was pushed again"
      : "  to do:   read what changed upstream, then review the new digest in the lock file",
    "",
  ].join("\n");
}

function stale(file: string, text: string | undefined): number {
  process.stderr.write(
    `[lock-stale] ${basename(file)}\n  found:   ${text === undefined ? "no file" : "another list of images"}\n` +
      "  allowed: what the stack file and the catalog give today\n  to do:   run platform lock and review the difference\n",
  );
  return ExitCode.Problems;
}

function notWritten(file: string, failure: string): number {
  process.stderr.write(
    `[lock-write] ${file}\n  found:   ${failure}\n  allowed: a file that can be written\n  to do:   name another with --output\n`,
  );
  return ExitCode.WrongUse;
}

/** A reader sees the old file or the new one. Answers with the reason when it cannot be written. */
async function writeWhole(file: string, text: string): Promise<string | undefined> {
  const fresh = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(fresh, text);
    await rename(fresh, file);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await rm(fresh, { force: true });
  }
}

function sortKeys(record: Readonly<Partial<Record<string, string>>>): Record<string, string> {
  const entries = Object.entries(record).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return Object.fromEntries(entries.sort(([one], [two]) => (one < two ? -1 : 1)));
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 600)) throw new InvalidArgumentError("a number of seconds up to 600");
  return value;
}
