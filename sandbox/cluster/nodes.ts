import type { ApiClient } from "./api.ts";

/** Simulated nodes of every sandbox: three, so that anti-affinity over hosts and zones has somewhere to go. */
export const NODE_COUNT = 3;

/** Manifest of a simulated node; KWOK makes it Ready and runs nothing on it. */
export function nodeManifest(index: number) {
  const name = `sandbox-node-${index}`;
  const capacity = { cpu: "32", memory: "128Gi", pods: "110", "ephemeral-storage": "256Gi" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      annotations: { "kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0" },
      labels: {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/worker": "",
        "topology.kubernetes.io/zone": `sandbox-zone-${index}`,
      },
    },
    status: { allocatable: capacity, capacity },
  };
}

/** Creates the nodes that are not there. */
export async function createNodes(api: ApiClient): Promise<void> {
  for (let index = 1; index <= NODE_COUNT; index += 1) {
    await api.post("/api/v1/nodes", nodeManifest(index));
  }
}

/** How many nodes are Ready; 0 too when the server does not answer. */
export async function countReadyNodes(api: ApiClient): Promise<number> {
  const answer = await api.get("/api/v1/nodes");
  if (answer.status !== 200) return 0;
  const list = JSON.parse(answer.body) as { items: NodeObject[] };
  return list.items.filter(isReady).length;
}

interface NodeObject {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
}

function isReady(node: NodeObject): boolean {
  return (
    node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ??
    false
  );
}
