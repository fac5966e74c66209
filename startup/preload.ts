/**
 * Runs in the program's process before Pulumi's SDK (`enter.mjs`), whose own start loads for longer than
 * the program does, and in the policy pack's process before the pack: the SDK starts for more than they need.
 */
import "./native-stacks.ts";
import "./without-debugger.ts";
import "./deferred-modules.ts";
