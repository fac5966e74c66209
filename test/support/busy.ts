import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";

/** Does something while every processor of this machine is busy with something else. */
export async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  const loops = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ["-e", "for(;;);"], { stdio: "ignore" }),
  );
  try {
    return await work();
  } finally {
    await Promise.all(
      loops.map((loop) => {
        const ended = once(loop, "exit");
        loop.kill("SIGKILL");
        return ended;
      }),
    );
  }
}
