// The first file of the program's process (`nodeargs` in Pulumi.yaml). Plain JavaScript, so that a Node that cannot run
// TypeScript says so in a report, and not in a trace of its module loader.

/** Exit code of a program that has told the user what is wrong. (pulumi/pulumi@v3.270.0:sdk/nodejs/cmd/run/index.ts) */
const TOLD = 32;

// Without the feature there is no such property before 22.10, and `false` from then on.
if (process.features.typescript) await import("./preload.ts");
else {
  process.stderr.write(`[node-too-old] ${process.execPath}
  found:   Node ${process.version}, which does not run TypeScript
  allowed: Node 22.18 or newer
  to do:   put such a node first on PATH; the scripts of package.json bring their own: npm run preview:online
`);
  process.exit(TOLD);
}
