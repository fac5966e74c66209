import type { ClusterApi } from "../cluster-api.ts";

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly replicas?: number };
  readonly status?: { readonly availableReplicas?: number };
}

/**
 * Controllers in some namespaces of which no pod is available: whatever waits for one of them waits in vain. Empty
 * where nobody may look.
 */
export async function idleControllers(
  api: Pick<ClusterApi, "get">,
  namespaces: readonly string[],
): Promise<string[]> {
  const idle = await Promise.all(
    namespaces.map(async (namespace) => {
      const { status, body } = await api.get(`/apis/apps/v1/namespaces/${namespace}/deployments`);
      const { items = [] } = (status === 200 ? body : {}) as {
        readonly items?: readonly Deployment[];
      };
      return items
        .filter((deployment) => (deployment.status?.availableReplicas ?? 0) === 0)
        .map(({ metadata, spec }) => {
          const wanted = spec.replicas ?? 1;
          return `${namespace}/${metadata.name} (0 of ${String(wanted)} available)`;
        });
    }),
  );
  return idle.flat();
}
