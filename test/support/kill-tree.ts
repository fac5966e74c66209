import { readdirSync, readFileSync } from "node:fs";

/** Kills a process and everything that it started, at once and without asking. Linux: it reads /proc. */
export function killTree(root: number): void {
  const children = Map.groupBy(processes(), ({ parent }) => parent);
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []).map((child) => child.pid));
  for (const pid of tree) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }
}

function processes(): { pid: number; parent: number }[] {
  return readdirSync("/proc")
    .map(Number)
    .filter(Number.isInteger)
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
        // The name stands in parentheses and may hold spaces; state and parent follow (proc(5)).
        return [{ pid, parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) }];
      } catch {
        return [];
      }
    });
}
