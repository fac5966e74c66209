import * as sdk from "@pulumi/policy";
import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";

/** Sentinel of a string that a preview does not know (pulumi/pulumi-policy@v1.21.0:sdk/nodejs/policy/proxy.ts). */
export const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What a policy said about one resource. */
export interface Verdict {
  readonly violations: readonly string[];
  /** Reason why the policy does not apply; absent: it applied. */
  readonly notApplicable?: string;
}

/** A resource as the engine shows it to policies. */
export interface JudgedResource {
  readonly type: string;
  readonly name?: string;
  readonly props: Readonly<Record<string, unknown>>;
  /** Configuration of the policy. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Exported, but marked internal: its declaration is stripped from the package. */
const { unknownCheckingProxy } = sdk as unknown as {
  readonly unknownCheckingProxy: (props: object) => Record<string, unknown>;
};

class NotApplicable extends Error {}

/** Runs a policy on one resource, in the way the policy server does: unknown values throw when touched. */
export async function judge(
  policy: ResourceValidationPolicy,
  resource: JudgedResource,
): Promise<Verdict> {
  const violations: string[] = [];
  const { validateResource } = policy;
  if (typeof validateResource !== "function") throw new Error(`${policy.name} has no one function`);
  try {
    await validateResource(argsOf(resource), (message) => {
      violations.push(message);
    });
  } catch (error) {
    if (!(error instanceof NotApplicable)) throw error;
    return { violations, notApplicable: error.message };
  }
  return { violations };
}

function argsOf(resource: JudgedResource): ResourceValidationArgs {
  const { type, name = "subject", props, config = {} } = resource;
  return {
    type,
    name,
    props: unknownCheckingProxy(structuredClone(props)),
    urn: `urn:pulumi:test::kserve-platform::${type}::${name}`,
    opts: {
      protect: false,
      ignoreChanges: [],
      aliases: [],
      additionalSecretOutputs: [],
      customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
    },
    stackTags: new Map(),
    isType: () => false,
    asType: () => undefined,
    getConfig: <T extends object>() => config as T,
    notApplicable: (reason) => {
      throw new NotApplicable(reason);
    },
  };
}
