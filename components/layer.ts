import type * as pulumi from "@pulumi/pulumi";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import type { ClusterConnection } from "./cluster-connection.ts";
import type { Plan, PlannedLayer } from "../plan/plan.ts";

/** How this program talks to the cluster. */
export interface Providers {
  /** An object of ours that exists already is an error, never taken over. CRDs go another way (crds/). */
  readonly cluster: Provider;
  /** For hooks of ours; everything that is a resource goes through the provider. */
  readonly connection: ClusterConnection;
}

/** What every layer is built from. */
export interface LayerArgs {
  readonly plan: Plan;
  readonly layer: PlannedLayer;
  readonly providers: Providers;
}

/** Type token of a layer; part of every URN below it, so it is contract. */
export function layerType(name: string): string {
  return `kserve-platform:layer:${name}`;
}

/** Versions of the layers that a layer was really built on, read from the objects that it was handed. */
export function standsOn(
  layers: readonly { readonly product: string; readonly version: string }[],
): Record<string, string> {
  return Object.fromEntries(layers.map((layer) => [layer.product, layer.version]));
}

/**
 * Options of a child of a layer: inside it, with the cluster's provider, after the given resources.
 * Everything else that an option can say is the caller's.
 */
export function childOf(
  parent: pulumi.ComponentResource,
  providers: Providers,
  options: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  return { parent, provider: providers.cluster, ...options };
}
