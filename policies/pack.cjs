// Policy packs are loaded with require() under ts-node, whatever their options say; import() goes past it, so that
// Node runs the same TypeScript sources as the program does.
// Traces without source maps, for the reason that program/native-stacks.ts gives.
Error.prepareStackTrace = undefined;
void import("./pack.ts");
