#!/usr/bin/env node
// Starts the command line on a Node that runs TypeScript as it is (22.18 or newer): this one, or the one that
// `npm ci` brought along. Plain JavaScript, so that an older Node gets far enough to hand over.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  // Sources are compiled once and found again: the second start takes half the time.
  module.enableCompileCache?.();
  const { run } = await import("./main.ts");
  process.exitCode = await run(process.argv.slice(2));
} else {
  const bundled = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
  if (!existsSync(bundled)) {
    process.stderr.write(
      `platform: Node ${process.versions.node} cannot run this program.\n` +
        "  allowed: Node 22.18 or newer, or the one that `npm ci` installs on Linux\n" +
        "  to do:   run `npm ci` in this folder, or install a newer Node\n",
    );
    process.exit(2);
  }
  const child = spawnSync(bundled, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exit(child.status ?? 1);
}
