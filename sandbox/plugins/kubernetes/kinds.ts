/** What a resource's type says about the object: `kubernetes:<group>/<version>:<Kind>`. */
export interface TypeInfo {
  readonly apiVersion: string;
  readonly kind: string;
  /** A resource that owns some fields of an object and not the object. */
  readonly patch: boolean;
}

/** The type of a URN, such as `kubernetes:apps/v1:Deployment`; parents' types are left out. */
export function typeOfUrn(urn: string): string {
  const qualified = urn.split("::")[2] ?? "";
  return qualified.split("$").at(-1) ?? "";
}

/** The logical name at the end of a URN; it may itself contain colons. */
export function nameOfUrn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** Splits a type token. A kind that ends in Patch is taken as a patch unless `kind` says it is the object's own. */
export function typeInfo(token: string, kind = ""): TypeInfo {
  const [, module = "", name = ""] = token.split(":");
  const patch = name.endsWith("Patch") && kind !== name;
  return {
    apiVersion: module.startsWith("core/") ? module.slice("core/".length) : module,
    kind: patch ? name.slice(0, -"Patch".length) : name,
    patch,
  };
}

/** The token of an object, as the official provider's chart component gives it to the engine. */
export function tokenOf(apiVersion: string, kind: string): string {
  const module = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
  return `kubernetes:${module}:${kind}`;
}

/** Groups that Kubernetes itself serves; what is outside them is a custom resource. */
export function isBuiltIn(apiVersion: string): boolean {
  const [group = ""] = apiVersion.split("/");
  if (!apiVersion.includes("/")) return true;
  if (["apps", "batch", "autoscaling", "policy", "extensions"].includes(group)) return true;
  return BUILT_IN_GROUPS.has(group);
}

const BUILT_IN_GROUPS: ReadonlySet<string> = new Set(
  [
    "admissionregistration",
    "apiextensions",
    "authentication",
    "authorization",
    "certificates",
    "coordination",
    "discovery",
    "events",
    "networking",
    "node",
    "rbac.authorization",
    "resource",
    "scheduling",
    "storage",
  ].map((group) => `${group}.k8s.io`),
);
