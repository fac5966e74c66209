import { open, stat } from "node:fs/promises";

/** A request that the registry answered. */
export interface AccessEntry {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly status: number;
  /** What the client calls itself, such as `Helm/3.19.0`. */
  readonly agent: string;
}

/** Combined log format, as distribution writes it: address, names, time, request, status, bytes, referrer, agent. */
const LINE = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d{3}) \S+ "[^"]*" "([^"]*)"/;

/** One line of the log; `undefined` for lines that tell something else. */
export function parseAccessLine(line: string): AccessEntry | undefined {
  const [, method, path, status, agent = ""] = LINE.exec(line) ?? [];
  if (method === undefined || path === undefined) return undefined;
  return { method, path, status: Number(status), agent };
}

/** How much of a log there is, in bytes: where what comes next begins. */
export function logEnd(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Requests since a place in the log. */
export async function readAccessLog(file: string, from = 0): Promise<AccessEntry[]> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return [];
  try {
    const text = await handle.createReadStream({ start: from, autoClose: false }).toArray();
    const lines = Buffer.concat(text as Buffer[])
      .toString("utf8")
      .split("\n");
    return lines.flatMap((line) => parseAccessLine(line) ?? []);
  } finally {
    await handle.close();
  }
}
