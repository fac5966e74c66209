import { Option } from "commander";
import type { Command } from "commander";
import type { PlannedImage } from "../plan/plan.ts";
import type { Finish } from "./exit-code.ts";
import { ExitCode } from "./exit-code.ts";
import { requirePlan } from "./stack.ts";
import { renderTable } from "./table.ts";

interface Options {
  readonly kubernetes?: string;
  readonly format: "table" | "json" | "plain";
  readonly required?: boolean;
}

/** `platform images`: every image that a stack needs or may need, upstream and as installed. */
export function addImages(program: Command, finish: Finish): void {
  program
    .command("images")
    .description("list every image of a stack, upstream and mirrored")
    .argument("<stack>", "stack name (online) or path of a stack file")
    .addOption(
      new Option("--format <format>", "output format")
        .choices(["table", "json", "plain"])
        .default("table"),
    )
    .option("--required", "leave out images that only optional features or runtimes use")
    .option(
      "--kubernetes <version>",
      "Kubernetes version to assume where the stack file names none",
    )
    .action(async (stack: string, options: Options) => {
      const plan = await requirePlan(stack, options.kubernetes);
      if (plan === undefined) return finish(ExitCode.Problems);
      const images = plan.images.filter(
        (image) => options.required !== true || image.optional === undefined,
      );
      process.stdout.write(`${render(images, options.format)}\n`);
    });
}

function render(images: readonly PlannedImage[], format: Options["format"]): string {
  if (format === "json") return JSON.stringify(images, null, 2);
  if (format === "plain") return [...new Set(images.map((image) => image.image))].sort().join("\n");
  return imagesAsTable(images);
}

/** Images as a table; digests are cut to their first twelve digits. */
export function imagesAsTable(images: readonly PlannedImage[]): string {
  const rows = images.map((image) => [
    image.layer,
    shorten(image.upstream),
    image.image === image.upstream ? "(upstream)" : shorten(image.image),
    [image.optional ?? "", image.floating === true ? "moving tag" : ""]
      .filter((note) => note !== "")
      .join(", "),
  ]);
  return renderTable(["LAYER", "UPSTREAM", "INSTALLED FROM", "NEEDED BY"], rows);
}

function shorten(reference: string): string {
  return reference.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…");
}
