import { isConfigMap, isImmutable } from "./secrets.ts";
import { isSecretObject, textAt } from "../object.ts";
import type { JsonObject } from "../value.ts";

/** Which data may change in place. */
export interface Mutability {
  readonly configMaps: boolean;
  readonly secrets: boolean;
}

const IDENTITY = ["metadata.name", "metadata.namespace"];
/** Fields whose change replaces the object, by group and kind (provider/diff.go, forceNew). */
const REPLACING: Readonly<Record<string, readonly string[]>> = {
  "apps/DaemonSet": ["spec.selector"],
  "apps/Deployment": ["spec.selector"],
  "apps/StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "policy/PodDisruptionBudget": [],
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["parameters", "provisioner"],
  "/PersistentVolumeClaim": [
    "spec.accessModes",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeName",
  ],
  "/ResourceQuota": ["spec.scopes"],
  "/Secret": ["type"],
  "/Service": ["spec.clusterIP"],
  "/Pod": ["spec"],
};

/** Paths of the fields of an object whose change needs a new object. A patch is tied to its object's name only. */
export function replacingFields(
  object: JsonObject,
  patch: boolean,
  mutable: Mutability,
): readonly string[] {
  if (patch) return IDENTITY;
  if (isSecretObject(object) && (!mutable.secrets || isImmutable(object))) {
    return [...IDENTITY, "type", "stringData", "data"];
  }
  if (isConfigMap(object) && (!mutable.configMaps || isImmutable(object))) {
    return [...IDENTITY, "binaryData", "data"];
  }
  return [...IDENTITY, ...(REPLACING[groupKind(object)] ?? [])];
}

function groupKind(object: JsonObject): string {
  const apiVersion = textAt(object, "apiVersion");
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return `${group}/${textAt(object, "kind")}`;
}

/** True when a changed path is one of the fields, inside one, or holds one. */
export function replaces(path: string, fields: readonly string[]): boolean {
  return fields.some(
    (field) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`),
  );
}
