import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { logFile } from "./layout.ts";
import type { RealLayout } from "./layout.ts";
import { listeningLine } from "./listening.ts";
import type { NodePrograms } from "./packages.ts";
import { partProcess, startPart, waitFor } from "./processes.ts";
import type { Part } from "./processes.ts";

/** A way through the border of the network namespace. */
export interface Relay {
  readonly name: string;
  /** `inwards`: somebody outside connects to something inside. */
  readonly direction: "inwards" | "outwards";
  /** Where it listens, `<address>:<port>`. */
  readonly listen: string;
  /** Where connections end, `<address>:<port>`. */
  readonly to: string;
}

const START_SECONDS = 20;

/** The two processes of a relay: which is outside depends on nothing, which one listens on TCP on the direction. */
export function relayParts(
  layout: RealLayout,
  relay: Relay,
): readonly [inside: Part, outside: Part] {
  const socket = `unix:${relay.name}.sock`;
  const first = [`tcp:${relay.listen}`, socket] as const;
  const second = [socket, `tcp:${relay.to}`] as const;
  const [outside, inside] = relay.direction === "inwards" ? [first, second] : [second, first];
  const part = (side: "inside" | "outside", [listen, to]: readonly [string, string]): Part => ({
    name: `${relay.name}-${side}`,
    inside: side === "inside",
    command: process.execPath,
    args: [
      join(import.meta.dirname, "relay.ts"),
      layout.sockets,
      ...["--listen", listen, "--to", to],
    ],
  });
  return [part("inside", inside), part("outside", outside)];
}

/** Names of a relay's processes. */
export function relayNames({ name }: Relay): string[] {
  return [`${name}-inside`, `${name}-outside`];
}

/** Starts whatever of a relay does not run, and waits until it listens. */
export async function startRelay(
  layout: RealLayout,
  programs: NodePrograms,
  relay: Relay,
  signal?: AbortSignal,
): Promise<void> {
  const parts = relayParts(layout, relay);
  for (const part of parts) await startPart(layout, programs, part);
  for (const part of parts) {
    const needs = [part.name];
    const wait = { layout, what: `relay ${relay.name}`, needs, seconds: START_SECONDS, signal };
    await waitFor(wait, () => listens(layout, part));
  }
}

/** The process says so itself: a look from outside would be a connection to whatever the relay leads to. */
async function listens(layout: RealLayout, { name }: Part): Promise<boolean> {
  const id = await partProcess(layout, name);
  const log = await readFile(logFile(layout, name), "utf8").catch(() => "");
  return id !== undefined && log.includes(listeningLine(id));
}

/** Relays that were asked for, in the order of asking. */
export async function readRelays(layout: RealLayout): Promise<Relay[]> {
  const text = await readFile(layout.relaysFile, "utf8").catch(() => "[]");
  return JSON.parse(text) as Relay[];
}

/** Remembers a relay in place of one of the same name. */
export async function rememberRelay(layout: RealLayout, relay: Relay): Promise<void> {
  const others = (await readRelays(layout)).filter(({ name }) => name !== relay.name);
  const unfinished = `${layout.relaysFile}.new`;
  await mkdir(layout.folder, { recursive: true });
  await writeFile(unfinished, JSON.stringify([...others, relay], undefined, 2));
  await rename(unfinished, layout.relaysFile);
}
