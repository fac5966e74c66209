/** Whether a webhook judges an object, as the API server decides it. */
import type { Probe } from "../../versions/probes.ts";

interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly Requirement[];
}

interface WebhookRule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
}

/** A webhook as its configuration on the cluster has it now. */
export interface Webhook {
  readonly name: string;
  readonly failurePolicy?: "Fail" | "Ignore";
  readonly clientConfig?: { readonly caBundle?: string };
  readonly rules?: readonly WebhookRule[];
  readonly namespaceSelector?: Selector;
  readonly objectSelector?: Selector;
}

type Labels = Readonly<Record<string, string>>;

/** True where a rule of the webhook and its object selector take in the creation of the object. */
export function judgesObject(webhook: Webhook, { object, resource, scope }: Probe): boolean {
  const [group, version] = groupVersion(object.apiVersion);
  const takesIn = (webhook.rules ?? []).some(
    (rule) =>
      has(rule.operations, "CREATE") &&
      has(rule.apiGroups, group) &&
      has(rule.apiVersions, version) &&
      hasResource(rule.resources, resource) &&
      ["*", scope, undefined].includes(rule.scope),
  );
  return takesIn && matches(webhook.objectSelector, object.metadata.labels ?? {});
}

/** True where the webhook's namespace selector lets a namespace in. It does not concern objects outside namespaces. */
export function judgesNamespace(
  webhook: Webhook,
  { scope }: Pick<Probe, "scope">,
  labels: Labels,
): boolean {
  return scope === "Cluster" || matches(webhook.namespaceSelector, labels);
}

/** (kubernetes/kubernetes@v1.34.3:staging/src/k8s.io/apimachinery/pkg/labels/selector.go, Requirement.Matches) */
function matches(selector: Selector = {}, labels: Labels): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({
    key,
    operator: "In",
    values: [value],
  }));
  return [...equal, ...(selector.matchExpressions ?? [])].every((requirement) =>
    meets(requirement, labels),
  );
}

function meets({ key, operator, values = [] }: Requirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
  }
}

/** Group and version of an `apiVersion`; the core group is empty. */
export function groupVersion(apiVersion: string): [group: string, version: string] {
  const [first = "", second] = apiVersion.split("/");
  return second === undefined ? ["", first] : [first, second];
}

function has(values: readonly string[] = [], wanted: string): boolean {
  return values.includes("*") || values.includes(wanted);
}

/** `*` are all resources without their subresources, `*` + `/*` those with them. */
function hasResource(values: readonly string[] = [], wanted: string): boolean {
  const [resource = "", subresource] = wanted.split("/");
  const tail = subresource === undefined ? "" : `/${subresource}`;
  return [wanted, `*${tail}`, `${resource}/*`, "*/*"].some((value) => values.includes(value));
}
