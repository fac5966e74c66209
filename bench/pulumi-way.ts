import { join } from "node:path";
import { PROGRAM_ROOT } from "../sandbox/session/project.ts";
import { pulumiEnvironment } from "../sandbox/session/pulumi.ts";
import { openStack } from "../sandbox/session/session.ts";
import type { Session } from "../sandbox/session/session.ts";
import { meter } from "./usage.ts";
import type { Usage } from "./usage.ts";
import type { Operation, Way } from "./ways.ts";

/** Stack of the benchmark inside the sandbox's project. */
export const STACK = "bench";
/** Stack file that the scenarios start from. */
export const STACK_FILE = join(PROGRAM_ROOT, "Pulumi.online.yaml");

const COMMANDS: Readonly<Record<Operation, readonly string[]>> = {
  install: ["up", "--yes", "--skip-preview"],
  "nothing to do": ["up", "--yes", "--skip-preview", "--expect-no-changes"],
  preview: ["preview"],
  "one value changed": ["up", "--yes", "--skip-preview"],
  uninstall: ["destroy", "--yes", "--skip-preview", "--run-program"],
};

/** This program, with the policy pack wherever the engine takes one. */
export function pulumiWay(session: Session): Way {
  return {
    name: "pulumi",
    run: async (operation, scenario) => {
      const { config, changed } = scenario;
      await openStack(
        session,
        { name: STACK, file: STACK_FILE },
        operation === "one value changed" ? changed : config,
      );
      return pulumi(session, operation);
    },
  };
}

function pulumi(session: Session, operation: Operation): Promise<Usage> {
  const { context } = session;
  const policies =
    operation === "uninstall" ? [] : ["--policy-pack", join(PROGRAM_ROOT, "policies")];
  return meter({
    command: context.pulumi.path,
    args: [
      ...COMMANDS[operation],
      ...["--stack", STACK, "--non-interactive", "--suppress-progress"],
      ...policies,
    ],
    cwd: context.layout.project,
    env: pulumiEnvironment(context),
    nameOf: programName,
  });
}

/** What a process of a run is, by its command line. */
export function programName(words: readonly string[]): string {
  const line = words.join(" ");
  const known: readonly (readonly [RegExp, string])[] = [
    [/run-policy-pack/, "policy pack"],
    [/cmd\/run(?:\/|\s)/, "program"],
    [/plugins\/language-host|pulumi-language-nodejs/, "language host"],
    [/plugins\/cert-manager|pulumi-resource-kubernetes-cert-manager/, "cert-manager plugin"],
    [/plugins\/kubernetes|pulumi-resource-kubernetes/, "kubernetes provider"],
    [/\.mjs /, "post-renderer"],
    [/helm(?:\s|$)/, "helm"],
    [/kubectl/, "kubectl"],
    [/pulumi/, "pulumi CLI"],
  ];
  return known.find(([pattern]) => pattern.test(line))?.[1] ?? "other";
}
