import { resolve } from "node:path";

/** Folder of the program; relative paths in a stack file start here. */
export const PROJECT_ROOT = resolve(import.meta.dirname, "..");
