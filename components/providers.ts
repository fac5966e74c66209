import { Provider } from "@pulumi/kubernetes/provider.js";
import type { Settings } from "../config/schema.ts";
import { ClusterConnection } from "./cluster-connection.ts";
import type { Providers } from "./layer.ts";

/** Requests per second and burst towards the API server; the defaults (50, 120) hold back a first install. */
const CLIENT_SETTINGS = { qps: 200, burst: 400 } as const;

/** The ways to a stack's cluster. */
export function createProviders(settings: Settings): Providers {
  const { kubeconfig, context } = settings.kubernetes;
  return {
    cluster: new Provider("cluster", {
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(context === undefined ? {} : { context }),
      kubeClientSettings: CLIENT_SETTINGS,
      // A changed value must not delete and recreate a ConfigMap that controllers are reading.
      enableConfigMapMutable: true,
      enableSecretMutable: true,
    }),
    connection: new ClusterConnection(settings.kubernetes),
  };
}
