/**
 * Brings the distribution registry that the tests of `platform bundle` start: from PATH, its official download or its
 * Go module. Run by .ci/run before the tests; on a machine of one's own once is enough.
 */
import { acquireTools } from "../../sandbox/toolchain/index.ts";

const { registry } = await acquireTools({ report: () => undefined }, ["registry"]);
process.stdout.write(`registry ${registry.version} (${registry.origin}): ${registry.path}\n`);
