import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, delimiter, join } from "node:path";
import { readStackFile } from "../config/stack-file.ts";
import type { Plan } from "../plan/plan.ts";
import { resolve } from "../plan/resolve.ts";
import { formatProblems, passes } from "../problems/problem.ts";
import { writeStack } from "../sandbox/session/project.ts";
import { additionsFor } from "../sandbox/session/session.ts";
import type { Session } from "../sandbox/session/session.ts";
import type { Tool } from "../sandbox/toolchain/index.ts";
import { loadCatalog } from "../versions/catalog.ts";
import { helmScript } from "./helm-script.ts";
import type { HelmScript } from "./helm-script.ts";
import { programName, STACK_FILE } from "./pulumi-way.ts";
import { meter } from "./usage.ts";
import type { Operation, Scenario, Way } from "./ways.ts";

const SCRIPTS: Partial<Record<Operation, keyof Omit<HelmScript, "files">>> = {
  install: "install",
  "one value changed": "change",
  uninstall: "uninstall",
};

/** The script with kubectl and helm, on the same cluster and charts. */
export function helmWay(session: Session, kubectl: Tool): Way {
  const folder = join(session.layout.project, "..", "helm-way");
  return {
    name: "helm",
    run: async (operation, scenario) => {
      const script = SCRIPTS[operation];
      if (script === undefined) return undefined;
      const config = operation === "one value changed" ? scenario.changed : scenario.config;
      const { files, ...scripts } = helmScript(await planOf(session, scenario, config));
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      const path = [dirname(session.tools.helm.path), dirname(kubectl.path), process.env["PATH"]];
      return meter({
        command: "bash",
        args: ["-c", scripts[script]],
        cwd: folder,
        env: {
          ...process.env,
          PATH: path.join(delimiter),
          KUBECONFIG: session.cluster.kubeconfig,
          HOME: folder,
        },
        nameOf: programName,
      });
    },
  };
}

/** The plan that the program would make of the same stack. */
async function planOf(
  session: Session,
  scenario: Scenario,
  config: Scenario["config"],
): Promise<Plan> {
  const stack = { name: "bench-helm", file: STACK_FILE };
  const file = await writeStack(session.layout, stack, additionsFor(session, config));
  const { settings, problems } = await readStackFile(file);
  if (settings === undefined) throw new Error(formatProblems(problems));
  const resolution = resolve(settings, loadCatalog());
  if (resolution.plan === undefined || !passes(resolution.problems))
    throw new Error(`${scenario.name}: ${formatProblems(resolution.problems)}`);
  return resolution.plan;
}
