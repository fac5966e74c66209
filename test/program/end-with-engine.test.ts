import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const MODULE = join(import.meta.dirname, "../../program/end-with-engine.ts");

/** A program that reports what nobody caught on its output, as Pulumi's SDK does, and has something to say. */
function program(start: string): string {
  return `${start}
    process.on("uncaughtException", (error) => console.error("uncaught", error.code));
    setInterval(() => console.error("still here"), 20);
    console.log("started");`;
}

async function endsAfterItsReaderIsGone(start: string): Promise<boolean> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(start)]);
  await once(child.stdout, "data");
  child.stdout.destroy();
  child.stderr.destroy();
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 3_000));
  const ended = await Promise.race([once(child, "exit").then(() => true), late]);
  child.kill("SIGKILL");
  return ended;
}

describe("a program whose engine was killed", () => {
  it("ends", async () => {
    const start = `import { endWithEngine } from ${JSON.stringify(MODULE)}; endWithEngine();`;
    expect(await endsAfterItsReaderIsGone(start)).toBe(true);
  });

  it("would go on for ever by itself", async () => {
    expect(await endsAfterItsReaderIsGone("")).toBe(false);
  });
});
