// The order inside a chart, as the annotation that the provider reads: Chart v4 turns it into dependencies of the
// resources that it registers (pulumi/pulumi-kubernetes@v4.32.0:provider/pkg/provider/yaml/v2/yaml.go, Register;
// kubernetes-sigs/cli-utils@v0.37.2:pkg/object/graph/depends.go). A transform takes it away before the object is
// registered (components/transforms.ts, dropOrder): it never reaches the cluster.

/** (kubernetes-sigs/cli-utils@v0.37.2:pkg/object/dependson/annotation.go) */
export const DEPENDS_ON = "config.kubernetes.io/depends-on";

// What Helm installs before its first workload (helm/helm@v3.19.0:pkg/releaseutil/kind_sorter.go, InstallOrder), as
// `group/Kind`, and whether it lies in a namespace. Plus what a workload mounts the Secret of: Helm puts all kinds that it
// does not know behind the workloads.
const NAMESPACED = true;
const CLUSTER_WIDE = false;
const FIRST = new Map([
  ["scheduling.k8s.io/PriorityClass", CLUSTER_WIDE],
  ["/Namespace", CLUSTER_WIDE],
  ["networking.k8s.io/NetworkPolicy", NAMESPACED],
  ["/ResourceQuota", NAMESPACED],
  ["/LimitRange", NAMESPACED],
  ["policy/PodDisruptionBudget", NAMESPACED],
  ["/ServiceAccount", NAMESPACED],
  ["/Secret", NAMESPACED],
  ["/ConfigMap", NAMESPACED],
  ["storage.k8s.io/StorageClass", CLUSTER_WIDE],
  ["/PersistentVolume", CLUSTER_WIDE],
  ["/PersistentVolumeClaim", NAMESPACED],
  ["apiextensions.k8s.io/CustomResourceDefinition", CLUSTER_WIDE],
  ["rbac.authorization.k8s.io/ClusterRole", CLUSTER_WIDE],
  ["rbac.authorization.k8s.io/ClusterRoleBinding", CLUSTER_WIDE],
  ["rbac.authorization.k8s.io/Role", NAMESPACED],
  ["rbac.authorization.k8s.io/RoleBinding", NAMESPACED],
  ["/Service", NAMESPACED],
  ["cert-manager.io/ClusterIssuer", CLUSTER_WIDE],
  ["cert-manager.io/Issuer", NAMESPACED],
  ["cert-manager.io/Certificate", NAMESPACED],
]);
const WORKLOADS = new Set([
  "/Pod",
  "/ReplicationController",
  "apps/DaemonSet",
  "apps/Deployment",
  "apps/ReplicaSet",
  "apps/StatefulSet",
  "batch/CronJob",
  "batch/Job",
]);
// Unknown to Helm, so last; and a webhook that judges before anybody answers holds up whoever it judges.
const LAST = new Set([
  "admissionregistration.k8s.io/MutatingWebhookConfiguration",
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
]);

// Documents with the dependencies of each workload and webhook configuration. `namespace` is that of the release: the
// provider gives it to objects that name none.
export function inOrder(documents, namespace) {
  const objects = documents.map((document) => ({ document, ...identityOf(document) }));
  const first = references(objects, (type) => FIRST.has(type), namespace);
  const workloads = references(objects, (type) => WORKLOADS.has(type), namespace);
  return objects.map((object) => {
    const type = `${object.group}/${object.kind}`;
    const before = WORKLOADS.has(type) ? first : LAST.has(type) ? [...first, ...workloads] : [];
    return before.length === 0 ? object.document : comeAfter(object, before);
  });
}

// Group, kind, name and namespace of a document. Not a YAML parser: see bundle-crds.mjs.
export function identityOf(document) {
  const apiVersion = /^apiVersion:[ \t]*["']?([^\s"'#]+)/m.exec(document)?.[1] ?? "";
  const kind = /^kind:[ \t]*["']?(\w+)/m.exec(document)?.[1];
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return {
    group,
    kind,
    name: metadataOf(document, "name"),
    namespace: metadataOf(document, "namespace"),
  };
}

// A value in an object's own metadata: on the level right below it, where labels and annotations are not.
function metadataOf(document, key) {
  const block = /^metadata:[ \t]*(?:#.*)?\r?\n((?:[ \t]+.*\n?|\r?\n)*)/m.exec(document)?.[1] ?? "";
  const indent = /^[ \t]+(?=[^\s#])/m.exec(block)?.[0] ?? "";
  return new RegExp(`^${indent}${key}:[ \\t]*["']?([^\\s"'#]+)`, "m").exec(block)?.[1];
}

// References as cli-utils spells them, each once: it refuses a second one, and one to an object that is not there.
function references(objects, matches, release) {
  const all = objects
    .filter(({ group, kind, name }) => name !== undefined && matches(`${group}/${kind}`))
    .map(({ group, kind, name, namespace }) =>
      FIRST.get(`${group}/${kind}`) === CLUSTER_WIDE
        ? `${group}/${kind}/${name}`
        : `${group}/namespaces/${namespace ?? release}/${kind}/${name}`,
    );
  return [...new Set(all)];
}

// The document with the annotation in its text; nothing else of it changes.
function comeAfter({ document, kind }, before) {
  // What a chart says itself holds.
  if (document.includes(`${DEPENDS_ON}:`)) return document;
  const line = `${DEPENDS_ON}: ${JSON.stringify(before.join(","))}`;
  const lines = document.split("\n");
  const at = lines.findIndex((text) => /^metadata:[ \t]*(#.*)?\r?$/.test(text));
  const indent = at === -1 ? "" : indentBelow(lines, at);
  if (indent === "")
    throw new Error(`cannot order a ${kind}: its metadata is not a block of lines`);
  const own = annotationsOf(lines, at, indent);
  if (own === undefined) lines.splice(at + 1, 0, `${indent}annotations:`, `${indent}  ${line}`);
  else lines.splice(own, 1, ...withLine(lines, own, { indent, line }));
  return lines.join("\n");
}

// Index of the line with the object's own annotations.
function annotationsOf(lines, at, indent) {
  for (let index = at + 1; index < lines.length; index += 1) {
    const text = lines[index];
    if (text.startsWith(`${indent}annotations:`)) return index;
    if (/^\S/.test(text)) return undefined;
  }
  return undefined;
}

// In place of the line `annotations:`, whatever stands behind it: nothing, an empty value or a flow mapping.
function withLine(lines, own, { indent, line }) {
  const value = lines[own]
    .slice(`${indent}annotations:`.length)
    .replace(/[ \t]#.*$/, "")
    .trim();
  const below = indentBelow(lines, own);
  const inner = below.length > indent.length ? below : `${indent}  `;
  if (value === "") return [`${indent}annotations:`, `${inner}${line}`];
  if (/^(\{\s*\}|null|~)$/.test(value)) return [`${indent}annotations:`, `${indent}  ${line}`];
  if (/^\{.*\}$/.test(value))
    return [
      `${indent}annotations: { ${line.replace(DEPENDS_ON, `"${DEPENDS_ON}"`)}, ${value.slice(1)}`,
    ];
  throw new Error(`cannot add to the annotations "${value}"`);
}

// What the next line with content starts with.
function indentBelow(lines, index) {
  const next = lines.slice(index + 1).find((text) => !/^\s*(#.*)?$/.test(text)) ?? "";
  return /^[ \t]*/.exec(next)[0];
}
