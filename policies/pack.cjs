// Policy packs are loaded with require() under ts-node, whatever their options say; import() goes past it, so that
// Node runs the same TypeScript sources as the program does.
// Traces without source maps, for the reason that program/native-stacks.ts gives.
Error.prepareStackTrace = undefined;
// Node writes what it compiled (NODE_COMPILE_CACHE) when it ends, and a pack is killed: it has to be told.
void import("./pack.ts").then(() => require("node:module").flushCompileCache?.());
