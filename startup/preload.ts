/**
 * Runs in the program's process before Pulumi's SDK (`nodeargs` in Pulumi.yaml): the SDK's own start loads for longer
 * than the program does. What it leaves undone is done by startup.ts.
 */
import "./without-debugger.ts";
import "./deferred-modules.ts";
