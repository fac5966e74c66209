import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema.ts";
import type { ClusterConnection } from "./cluster-connection.ts";

/** A Helm release by what its records in the cluster are labelled with. */
export interface HelmRelease {
  readonly name: string;
  readonly namespace: string;
}

interface SecretList {
  readonly items?: readonly { readonly metadata: { readonly name: string } }[];
}

/**
 * Helm keeps a record of each release; one that was killed stays `pending-install`, and no later install can use the
 * name. When the engine is about to create the release, any record of it in a namespace of ours was left by a run that
 * was killed before it could note the release down: the hook removes it, and the install takes over the objects, which
 * carry the release's name (helm/helm@v3.19.0:pkg/action/validate.go). In namespaces of others nothing is touched.
 */
export function forgetKilledRelease(
  settings: Settings,
  connection: ClusterConnection,
  release: HelmRelease,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(`forget-killed-${release.name}`, async () => {
    if (!settings.namespaces.create) return;
    const api = await connection.open();
    const secrets = `/api/v1/namespaces/${release.namespace}/secrets`;
    const labels = encodeURIComponent(`owner=helm,name=${release.name}`);
    const { items = [] } = (await api.get(`${secrets}?labelSelector=${labels}`)).body as SecretList;
    for (const { metadata } of items) await api.delete(`${secrets}/${metadata.name}`);
  });
}
