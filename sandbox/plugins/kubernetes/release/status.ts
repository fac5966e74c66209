import { runHelm, withWorkspace } from "../helm.ts";
import { at, textAt } from "../object.ts";
import { isObject } from "../value.ts";
import type { Session } from "../session.ts";
import type { Json, JsonObject } from "../value.ts";
import type { ReleaseName } from "./inputs.ts";

/** What helm recorded of a release; undefined when it knows none of that name. */
export async function findRelease(
  session: Session,
  { name, namespace }: ReleaseName,
): Promise<JsonObject | undefined> {
  const options = [`--namespace=${namespace}`, "--output=json"];
  return withWorkspace(session, async (workspace) => {
    const listed = await runHelm(session, workspace, {
      args: ["list", "--all", `--filter=^${name}$`, ...options],
    });
    const [entry] = JSON.parse(listed) as Json[];
    if (entry === undefined || !isObject(entry)) return undefined;
    return asRelease(entry);
  });
}

/** The `status` output of a release. */
export function statusOf(release: JsonObject): JsonObject {
  return {
    name: textAt(release, "name"),
    namespace: textAt(release, "namespace"),
    revision: at(release, "revision") ?? 0,
    status: textAt(release, "status"),
    chart: textAt(release, "chart", "metadata", "name"),
    version: textAt(release, "chart", "metadata", "version"),
    appVersion: textAt(release, "appVersion"),
  };
}

/** `helm list` gives chart and version as one text, `<chart>-<version>`; the version starts at the first digit after a hyphen. */
function asRelease(entry: JsonObject): JsonObject {
  const [, name = textAt(entry, "chart"), version = ""] =
    /^(.*?)-(v?\d+\..*)$/.exec(textAt(entry, "chart")) ?? [];
  return {
    name: textAt(entry, "name"),
    namespace: textAt(entry, "namespace"),
    revision: Number(textAt(entry, "revision")),
    status: textAt(entry, "status"),
    appVersion: textAt(entry, "app_version"),
    chart: { metadata: { name, version } },
  };
}
