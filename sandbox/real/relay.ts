/**
 * A small process of the sandbox: passes TCP connections on. Two of them, one on each side of a network namespace, meet
 * at a unix socket, which is found by its path whatever the namespace.
 *
 * Usage: node relay.ts <folder of the sockets> --listen <end> --to <end>, an end being tcp:<address>:<port> or
 * unix:<name>
 */
import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";
import { listeningLine } from "./listening.ts";

const [folder = "", , listen = "", , to = ""] = process.argv.slice(2);
// The path of a unix socket may have 107 bytes; its name alone is always short enough.
process.chdir(folder);

type End = { readonly path: string } | { readonly host: string; readonly port: number };

// Small answers go on at once: whoever sent them has gathered already what belongs together.
const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  const other = connect({ ...endOf(to), allowHalfOpen: true, noDelay: true });
  join(socket, other);
  join(other, socket);
});
const end = endOf(listen);
if ("path" in end) rmSync(end.path, { force: true });
server.on("error", (error) => {
  process.stderr.write(`${listen}: ${error.message}\n`);
  process.exit(1);
});
server.listen(end, () => process.stdout.write(listeningLine(process.pid)));

/** Each direction ends on its own: some clients close theirs before they read the answer. */
function join(from: Socket, into: Socket): void {
  from.pipe(into);
  from.on("error", (error) => {
    process.stderr.write(`${listen} to ${to}: ${error.message}\n`);
    into.destroy();
  });
  from.on("close", () => from.readableEnded || into.destroy());
}

function endOf(text: string): End {
  const [kind, ...rest] = text.split(":");
  if (kind === "unix") return { path: rest.join(":") };
  return { host: rest[0] ?? "", port: Number(rest[1]) };
}
