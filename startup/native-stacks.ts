/**
 * Pulumi's SDK notes a stack trace for every promise it makes, and its source-map-support looks every frame up in a
 * source map: a fifth of the program's time in a run that changes nothing. Node strips types in place, so that
 * positions are right without any map; the native traces are as good and cost nothing.
 * (pulumi/pulumi@v3.270.0:sdk/nodejs/runtime/debuggable.ts, cmd/run/index.ts)
 */
import { standIn } from "./defer.ts";
import { sdkRequire } from "./sdk.ts";

// Where the SDK has not come that far it finds it done; where it has, it is undone.
if (!standIn(sdkRequire, "source-map-support/register", () => ({})))
  delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
