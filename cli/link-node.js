// Runs after `npm ci`. npm 10 takes away node_modules/.bin/node again: it drops the build of Node for the other
// architecture together with the names of its programs, and both builds call theirs `node`. npm scripts would then run
// on the machine's own Node, which may be too old for TypeScript. npm 11 leaves the link alone, and nothing happens here.
import { existsSync, rmSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const build = `node-${process.platform}-${process.arch}/bin/node`;
const modules = new URL("../node_modules/", import.meta.url);
const link = fileURLToPath(new URL(".bin/node", modules));

if (existsSync(new URL(build, modules)) && !existsSync(link)) {
  // A link that leads nowhere does not "exist", but would be in the way.
  rmSync(link, { force: true });
  symlinkSync(`../${build}`, link);
}
