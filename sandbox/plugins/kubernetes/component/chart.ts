import { isObject } from "../value.ts";
import { at, listAt, textAt } from "../object.ts";
import { runHelm, sourceOptions, valueOptions, withWorkspace } from "../helm.ts";
import { parseManifests } from "./parse.ts";
import type { Session } from "../session.ts";
import type { JsonObject } from "../value.ts";

/** Renders a chart for the cluster as it is now: its version, everything it serves, and what `lookup` finds. Hooks are left out. */
export async function chartObjects(
  session: Session,
  component: string,
  inputs: JsonObject,
): Promise<JsonObject[]> {
  const served = await session.objects.discovery.apiVersions();
  const rendered = await withWorkspace(session, async (workspace) => {
    const args = [
      "template",
      textAt(inputs, "name") || component,
      textAt(inputs, "chart"),
      "--no-hooks",
      "--dry-run=server",
      `--kube-version=${session.version}`,
      `--api-versions=${served.join(",")}`,
      ...(at(inputs, "skipCrds") === true ? [] : ["--include-crds"]),
      ...namespaceOptions(textAt(inputs, "namespace") || session.defaultNamespace),
      ...postRendererOptions(inputs),
      ...(await sourceOptions(workspace, inputs)),
      ...(await valueOptions(workspace, inputs)),
    ];
    return runHelm(session, workspace, { args });
  });
  return parseManifests(rendered);
}

function namespaceOptions(namespace: string): string[] {
  return namespace === "" ? [] : ["--namespace", namespace];
}

function postRendererOptions(inputs: JsonObject): string[] {
  const renderer = inputs["postRenderer"];
  if (!isObject(renderer)) return [];
  const args = listAt(renderer, "args").map(
    (argument) => `--post-renderer-args=${textAt(argument)}`,
  );
  return [`--post-renderer=${textAt(renderer, "command")}`, ...args];
}
