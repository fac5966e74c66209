import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Charts request more than they use: a small machine shows at least this many processors, for requests only. */
const SHOWN = 8;
const NODES = "/sys/devices/system/node";

/**
 * Writes a `/sys/devices/system/node` that shows the machine's processors several times, as so many NUMA nodes. The
 * kubelet counts them each time, and writes only real ones into cpusets; numbers that do not exist would be refused
 * there (google/cadvisor@v0.52.1:utils/sysinfo/sysinfo.go). Writes nothing where there are enough.
 */
export async function writeProcessors(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const memory = join(NODES, "node0", "meminfo");
  const real = parseRanges(
    await readFile("/sys/devices/system/cpu/online", "utf8").catch(() => ""),
  );
  if (!existsSync(memory) || real.length === 0) return;
  const copies = Math.floor(SHOWN / real.length);
  if (copies < 2) return;
  for (let index = 0; index < copies; index += 1) {
    const node = join(folder, `node${index}`);
    await mkdir(join(node, "hugepages"), { recursive: true });
    // Files of sysfs have no length of their own, which copying by length would trust.
    await writeFile(join(node, "meminfo"), await readFile(memory, "utf8"));
    await writeFile(join(node, "distance"), "10\n");
    for (const processor of real) await writeTopology(node, processor);
  }
}

async function writeTopology(node: string, processor: number): Promise<void> {
  const topology = join(node, `cpu${processor}`, "topology");
  await mkdir(topology, { recursive: true });
  await writeFile(join(topology, "core_id"), `${processor}\n`);
  await writeFile(join(topology, "physical_package_id"), "0\n");
}

/** Numbers of a kernel list such as `0-3,8`. */
export function parseRanges(text: string): number[] {
  const parts = text
    .trim()
    .split(",")
    .filter((part) => part !== "");
  return parts.flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
