/**
 * Starts a real node in a process of its own, so that a test can kill it in the middle.
 *
 * Usage: node start-real-node.ts <name> <pause archive> <coredns archive>
 */
import { startRealCluster } from "../../sandbox/real/index.ts";
import { nodePrograms } from "./real-node.ts";

const [name = "", pause = "", coredns = ""] = process.argv.slice(2);
await startRealCluster({ name, binaries: await nodePrograms(), images: { pause, coredns } });
