import type { Session } from "node:inspector";
import { standIn } from "./defer.ts";
import { sdkRequire } from "./sdk.ts";

/** What the SDK's module for V8's debugger exports. */
interface DebuggerHooks {
  isInitializedAsync(): Promise<void>;
  getSessionAsync(): Promise<Pick<Session, "post">>;
  getScriptUrl(id: string): string | undefined;
}

const HOOKS = "./runtime/closure/v8Hooks";

/**
 * Pulumi's SDK attaches V8's debugger to its own process before it loads a program, so that functions can be turned
 * into text (dynamic providers). Modules take up to twice as long to load with it, and nothing here turns functions into
 * text. Where the SDK has not come that far, the debugger is attached when somebody first asks for it; where it has, it
 * stops listening. A debugger of the user's own is another session.
 * (pulumi/pulumi@v3.270.0:sdk/nodejs/runtime/closure/v8Hooks.ts, cmd/run/index.ts, cmd/run-policy-pack/index.ts)
 */
const isEarly = standIn(sdkRequire, HOOKS, (load) => {
  const hooks = load as () => DebuggerHooks;
  return {
    __esModule: true,
    isInitializedAsync: () => Promise.resolve(),
    getSessionAsync: () => hooks().getSessionAsync(),
    getScriptUrl: (id) => hooks().getScriptUrl(id),
  } satisfies DebuggerHooks & { __esModule: true };
});
if (!isEarly)
  (await (sdkRequire(HOOKS) as DebuggerHooks).getSessionAsync()).post("Debugger.disable");
