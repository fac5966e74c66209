import { defer, deferCalls } from "./defer.ts";
import { sdkRequire } from "./sdk.ts";

/**
 * Modules that Pulumi's SDK loads at every start for what neither the program nor the pack does: turning functions into
 * text for dynamic providers (which loads the TypeScript compiler, npm's arborist and everything built into Node) and
 * starting other programs (execa). They come when they are first used.
 * (pulumi/pulumi@v3.270.0:sdk/nodejs/runtime/closure, automation/cmd.ts)
 */
const UNUSED = [
  "./runtime/closure/createClosure",
  "@npmcli/arborist",
  "normalize-package-data",
  "execa",
];

/** What `pulumi --tracing` needs; each run asks for it. (pulumi/pulumi@v3.270.0:sdk/nodejs/cmd/run/tracing.ts) */
const TRACING = [
  "@opentelemetry/exporter-zipkin",
  "@opentelemetry/instrumentation",
  "@opentelemetry/instrumentation-grpc",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/sdk-trace-node",
];

for (const name of UNUSED) defer(sdkRequire, name);
for (const name of TRACING) deferCalls(sdkRequire, name);
