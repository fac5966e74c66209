import { apiClient } from "./api/client.ts";
import { Objects } from "./api/objects.ts";
import { activeCluster, credentialsOf, readKubeconfig, requireLoopback } from "./api/kubeconfig.ts";
import { textAt } from "./object.ts";
import type { Mutability } from "./resource/force-new.ts";
import type { Selection } from "./api/kubeconfig.ts";
import type { Json, JsonObject } from "./value.ts";

/** A configured provider: the cluster and the options that hold for every resource. */
export interface Session {
  readonly objects: Objects;
  readonly kubeconfig: JsonObject;
  readonly selection: Selection;
  /** Kubernetes version as the server says it, such as `v1.34.3`. */
  readonly version: string;
  readonly defaultNamespace: string;
  readonly upsert: boolean;
  readonly patchForce: boolean;
  readonly mutable: Mutability;
  readonly helm: JsonObject;
  /** Ends all waiting when the user stops the run. */
  readonly cancelled: AbortSignal;
}

/** Options by name, each also readable from the environment (provider.go, Configure). */
const VARIABLES: Readonly<Record<string, string>> = {
  upsertExistingObjects: "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
  enablePatchForce: "PULUMI_K8S_ENABLE_PATCH_FORCE",
  enableServerSideApply: "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
  enableConfigMapMutable: "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
  enableSecretMutable: "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
};

/** Options of the official provider that this one would have to obey and cannot. */
const REFUSED = [
  "renderYamlToDirectory",
  "strictMode",
  "deleteUnreachable",
  "skipUpdateUnreachable",
];

/** Connects to the cluster that the options name. Throws when it is not on loopback or does not answer. */
export async function openSession(options: JsonObject, cancelled: AbortSignal): Promise<Session> {
  refuseUnsupported(options);
  const kubeconfig = readKubeconfig(kubeconfigOption(options["kubeconfig"]));
  const selection = selectionOf(options);
  const credentials = credentialsOf(kubeconfig, selection);
  requireLoopback(credentials.server);
  const client = apiClient(credentials);
  const version = textAt(await client.send({ path: "/version" }), "gitVersion");
  return {
    objects: new Objects(client),
    kubeconfig,
    selection,
    version,
    defaultNamespace: textAt(options, "namespace"),
    upsert: flag(options, "upsertExistingObjects"),
    patchForce: flag(options, "enablePatchForce"),
    mutable: {
      configMaps: flag(options, "enableConfigMapMutable"),
      secrets: flag(options, "enableSecretMutable"),
    },
    helm: jsonOption(options["helmReleaseSettings"]),
    cancelled,
  };
}

/** True when two sets of options point at different clusters, so that every object must be made anew. */
export function isOtherCluster(olds: JsonObject, news: JsonObject): boolean {
  const [before, after] = [olds, news].map((options) =>
    activeCluster(readKubeconfig(kubeconfigOption(options["kubeconfig"])), selectionOf(options)),
  );
  return (
    before !== undefined && after !== undefined && JSON.stringify(before) !== JSON.stringify(after)
  );
}

function refuseUnsupported(options: JsonObject): void {
  const found = REFUSED.filter(
    (key) => key in options && flag(options, key, textAt(options, key) !== "false"),
  );
  if (found.length === 0 && flag(options, "enableServerSideApply", true)) return;
  const what = found.length === 0 ? "enableServerSideApply: false" : found.join(", ");
  throw new Error(
    `the sandbox's stand-in for the kubernetes provider does not support ${what}; use the official plugin`,
  );
}

function selectionOf(options: JsonObject): Selection {
  const context = textAt(options, "context");
  const cluster = textAt(options, "cluster");
  return { ...(context === "" ? {} : { context }), ...(cluster === "" ? {} : { cluster }) };
}

/** The engine sends options of a provider as text, objects as JSON text. */
function flag(options: JsonObject, key: string, otherwise = false): boolean {
  const given = options[key];
  if (typeof given === "boolean") return given;
  const text =
    typeof given === "string" && given !== "" ? given : process.env[VARIABLES[key] ?? ""];
  return text === undefined || text === "" ? otherwise : text.toLowerCase() === "true";
}

function kubeconfigOption(value: Json | undefined): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function jsonOption(value: Json | undefined): JsonObject {
  const parsed: unknown = typeof value === "string" && value !== "" ? JSON.parse(value) : value;
  return typeof parsed === "object" && parsed !== null ? (parsed as JsonObject) : {};
}
