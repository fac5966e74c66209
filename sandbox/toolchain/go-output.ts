/** What one line of the go command's error stream says. */
export type GoLine =
  | { readonly kind: "downloading"; readonly module: string; readonly version: string }
  | { readonly kind: "package"; readonly path: string }
  | { readonly kind: "other" };

const DOWNLOADING = /^go: downloading (\S+) (\S+)$/;
/** An import path: no blanks, no colon, not a comment; what `go build -v` prints for a package it compiles. */
const PACKAGE = /^[A-Za-z0-9_][A-Za-z0-9_.~/-]*$/;

/** Reads one line of `go list` or `go build -v`. Compiler messages are "other". */
export function parseGoLine(line: string): GoLine {
  const downloading = DOWNLOADING.exec(line);
  if (downloading?.[1] !== undefined && downloading[2] !== undefined) {
    return { kind: "downloading", module: downloading[1], version: downloading[2] };
  }
  return PACKAGE.test(line) ? { kind: "package", path: line } : { kind: "other" };
}

/**
 * Modules whose content go.sum pins: those that a build may have to download. A line that ends in `/go.mod` pins
 * only the module's own go.mod, which takes no time.
 */
export function countModules(goSum: string): number {
  return goSum.split("\n").filter((line) => line !== "" && !/\/go\.mod h1:/.test(line)).length;
}

/** The Go release that a go.mod asks for, such as `1.25.11`. */
export function requiredGo(goMod: string): string {
  return /^go (\d+\.\d+(?:\.\d+)?)$/m.exec(goMod)?.[1] ?? "1.0.0";
}

/** True when Go `found` (as in `go env GOVERSION`: `go1.26.8`) is at least `required`. */
export function isGoNewEnough(found: string, required: string): boolean {
  const have = numbers(found.replace(/^go/, ""));
  const need = numbers(required);
  for (const [index, number] of need.entries()) {
    const own = have[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}

/** A pre-release such as `1.26rc1` counts as its release: the build itself will say when it is not enough. */
function numbers(version: string): number[] {
  return version.split(".").map((part) => Number.parseInt(part, 10) || 0);
}
