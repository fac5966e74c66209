// Policy packs are loaded with require() under ts-node, whatever their options say; import() goes past it, so that
// Node runs the same TypeScript sources as the program does.
void import("../startup/preload.ts").then(() => import("./pack.ts"));
