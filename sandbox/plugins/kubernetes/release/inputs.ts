import { isObject } from "../value.ts";
import { at, textAt } from "../object.ts";
import { typeOfUrn } from "../kinds.ts";
import { sourceOptions, valueOptions } from "../helm.ts";
import type { Workspace } from "../helm.ts";
import type { JsonObject } from "../value.ts";

/** Seconds that helm waits unless told otherwise (provider/helm_release.go, defaultTimeoutSeconds). */
export const DEFAULT_TIMEOUT = 300;
const TYPE = "kubernetes:helm.sh/v3:Release";

/** True for a helm release, which the provider handles on its own path. */
export function isRelease(urn: string): boolean {
  return typeOfUrn(urn) === TYPE;
}

/** Names a release by what identifies it. */
export interface ReleaseName {
  readonly name: string;
  readonly namespace: string;
}

/** The name and namespace of a release's inputs. */
export function releaseName(inputs: JsonObject): ReleaseName {
  return { name: textAt(inputs, "name"), namespace: textAt(inputs, "namespace") || "default" };
}

/** Switches of helm that both install and upgrade know, by input. */
const COMMON: Readonly<Record<string, string>> = {
  atomic: "--atomic",
  disableOpenapiValidation: "--disable-openapi-validation",
  renderSubchartNotes: "--render-subchart-notes",
  skipCrds: "--skip-crds",
};
const INSTALL: Readonly<Record<string, string>> = {
  ...COMMON,
  createNamespace: "--create-namespace",
  disableWebhooks: "--no-hooks",
  replace: "--replace",
};
const UPGRADE: Readonly<Record<string, string>> = {
  ...COMMON,
  cleanupOnFail: "--cleanup-on-fail",
  disableCRDHooks: "--no-hooks",
  forceUpdate: "--force",
  resetValues: "--reset-values",
  reuseValues: "--reuse-values",
};

/** Arguments of `helm install` or `helm upgrade`. */
export async function changeArguments(
  command: "install" | "upgrade",
  workspace: Workspace,
  inputs: JsonObject,
): Promise<string[]> {
  const { name, namespace } = releaseName(inputs);
  const switches = Object.entries(command === "install" ? INSTALL : UPGRADE);
  const description = textAt(inputs, "description");
  const renderer = textAt(inputs, "postrender");
  return [
    command,
    name,
    chartOf(inputs),
    `--namespace=${namespace}`,
    "--output=json",
    ...switches.filter(([input]) => at(inputs, input) === true).map(([, option]) => option),
    ...waitArguments(inputs),
    ...(description === "" ? [] : [`--description=${description}`]),
    ...(renderer === "" ? [] : [`--post-renderer=${renderer}`]),
    ...(await sourceOptions(workspace, inputs)),
    ...(await valueOptions(workspace, inputs)),
  ];
}

/** How long to wait, and for what. */
export function waitArguments(inputs: JsonObject): string[] {
  const timeout = at(inputs, "timeout");
  const limit = `--timeout=${typeof timeout === "number" && timeout > 0 ? timeout : DEFAULT_TIMEOUT}s`;
  if (at(inputs, "skipAwait") === true) return [limit];
  return [limit, "--wait", ...(at(inputs, "waitForJobs") === true ? ["--wait-for-jobs"] : [])];
}

/** The chart, also where its repository is an OCI registry, to which helm wants the whole address. */
export function chartOf(inputs: JsonObject): string {
  const chart = textAt(inputs, "chart");
  const repository = inputs["repositoryOpts"];
  const repo = isObject(repository) ? textAt(repository, "repo") : "";
  return repo.startsWith("oci://") ? `${repo.replace(/\/$/, "")}/${chart}` : chart;
}
