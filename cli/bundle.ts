import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { PARTS } from "./bundle-options.ts";
import type { CommonOptions, Part } from "./bundle-options.ts";
import type { Finish } from "./exit-code.ts";

/** Seconds without a byte after which a connection counts as broken. */
const TIMEOUT_SECONDS = 30;
/** Registries throttle eager clients; a disk and a line are busy with this many. */
const JOBS = 4;
const MAX_JOBS = 32;

/** `platform bundle`, `bundle load` and `bundle verify`: what a stack takes from outside, carried across an air gap. */
export function addBundle(program: Command, finish: Finish): void {
  const bundle = common(program.command("bundle"))
    // `bundle load --stack x` must not hand its options to `bundle`.
    .enablePositionalOptions()
    .description("carry everything that a stack takes from outside across an air gap")
    .option("--all-releases", "everything of every release in the catalog instead of a stack")
    .option("--out <folder>", "folder to write; an interrupted run goes on with it")
    .option("--dry-run", "ask registries and print totals; write nothing")
    .option("--parts <list>", `some of ${PARTS.join(",")}`, parts, [...PARTS])
    .option("--via <registry>", "registry (host[:port][/project]) that proxies upstream ones")
    .option("--charts <folder>", "take charts and CRD files from a folder instead of upstream")
    .option("--lock <file>", "digests to keep to (default: <stack file>.lock.json)")
    .addOption(
      new Option("--arch <name>", "processor that the tool chain runs on")
        .choices(["x64", "arm64"])
        .default("x64"),
    )
    .action(async (options: CommonOptions) => {
      const { makeBundle } = await import("./bundle-make.ts");
      finish(await makeBundle(options as Parameters<typeof makeBundle>[0]));
    });
  common(bundle.command("load"))
    .description("send a bundle to the registry and the chart source of a stack, inside the gap")
    .argument("<folder>", "the bundle")
    .action(async (folder: string, options: CommonOptions) => {
      const { loadBundle } = await import("./bundle-load.ts");
      finish(await loadBundle(folder, options));
    });
  common(bundle.command("verify"))
    .description("ask the registry for every image and chart that a stack needs, before pulumi up")
    .option("--bundle <folder>", "a bundle whose digests the registry must have")
    .option("--lock <file>", "digests to hold it to (default: <stack file>.lock.json)")
    .option("--required", "leave out images that only optional features or runtimes use")
    .action(async (options: CommonOptions) => {
      const { verifyBundle } = await import("./bundle-verify.ts");
      finish(await verifyBundle(options));
    });
}

function common(command: Command): Command {
  return command
    .option("--stack <stack>", "stack name (airgap) or path of a stack file")
    .option(
      "--kubernetes <version>",
      "Kubernetes version to assume where the stack file names none",
    )
    .option("--jobs <number>", "how many things at the same time", jobs, JOBS)
    .option("--timeout <seconds>", "time without an answer", seconds, TIMEOUT_SECONDS)
    .option("--authfile <file>", "logins, as `docker login` or `skopeo login` wrote them")
    .option("--ca <file>", "CA that signed the registry's certificate, PEM")
    .option("--plain-http", "the registry speaks HTTP without TLS");
}

function parts(text: string): Part[] {
  const wanted = text.split(",").map((part) => part.trim());
  const unknown = wanted.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`"${unknown}" is none of ${PARTS.join(", ")}`);
  return PARTS.filter((part) => wanted.includes(part));
}

function jobs(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MAX_JOBS)
    throw new InvalidArgumentError(`a number from 1 to ${String(MAX_JOBS)}`);
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 600)) throw new InvalidArgumentError("a number of seconds up to 600");
  return value;
}
