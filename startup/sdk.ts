import { createRequire } from "node:module";

/** `require` as Pulumi's SDK has it: its own dependencies, and its own files by their relative paths. */
export const sdkRequire = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
