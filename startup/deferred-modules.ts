import { createRequire } from "node:module";
import { defer } from "./defer.ts";

/**
 * Modules that Pulumi's SDK loads at every start for what neither the program nor the pack does: turning functions into
 * text for dynamic providers (the TypeScript compiler, npm's arborist) and starting other programs (execa). They come
 * when they are first used.
 * (pulumi/pulumi@v3.270.0:sdk/nodejs/typescript-shim.ts, runtime/closure/codePaths.ts, automation/cmd.ts)
 */
const UNUSED = ["typescript", "@npmcli/arborist", "normalize-package-data", "execa"];

const sdk = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
for (const name of UNUSED) defer(sdk, name);
