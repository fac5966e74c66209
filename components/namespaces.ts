import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema.ts";
import type { Plan } from "../plan/plan.ts";
import { REGISTRY_CA_NAME } from "../plan/values/knative.ts";
import { drainFirst } from "./draining.ts";
import { childOf, layerType } from "./layer.ts";
import type { Providers } from "./layer.ts";
import { patchDefaultAccount, placePullSecret } from "./model-namespaces.ts";

/**
 * The namespaces of all layers, with what pulling from the registry needs in each: the pull secret and the private CA.
 * One component for all, so that a namespace keeps its identity when mode or ingress change and never dies of it.
 */
export class Namespaces extends pulumi.ComponentResource {
  constructor(name: string, args: { readonly plan: Plan; readonly providers: Providers }) {
    const { plan, providers } = args;
    const names = [...new Set(plan.layers.flatMap((layer) => layer.namespaces))];
    super(layerType("Namespaces"), name, { namespaces: names });
    const drain = drainFirst(providers.connection);
    for (const namespace of names) {
      const owner = plan.settings.namespaces.create
        ? [this.#createNamespace(namespace, args, drain)]
        : [];
      const options = childOf(this, providers, { dependsOn: owner });
      placePullSecret(namespace, plan.settings.registry, options);
      this.#placeCa(namespace, plan.settings, options);
    }
    this.#reachModels(names, args);
    this.registerOutputs({ namespaces: names });
  }

  #createNamespace(
    namespace: string,
    args: { readonly plan: Plan; readonly providers: Providers },
    drain: pulumi.ResourceHook,
  ): Namespace {
    const warn = {
      "pod-security.kubernetes.io/warn": "baseline",
      "pod-security.kubernetes.io/audit": "baseline",
    };
    const labels = args.plan.settings.features.security ? warn : {};
    return new Namespace(
      `namespace-${namespace}`,
      { metadata: { name: namespace, labels } },
      childOf(this, args.providers, {
        hooks: {
          beforeCreate: [args.providers.connection.openEarly],
          beforeDelete: [drain],
        },
      }),
    );
  }

  /** Namespaces of models exist already and are never ours; they get what their pods need to pull. */
  #reachModels(
    owned: readonly string[],
    args: { readonly plan: Plan; readonly providers: Providers },
  ): void {
    const { registry } = args.plan.settings;
    if (registry?.pullSecret === undefined) return;
    const { name } = registry.pullSecret;
    const options = childOf(this, args.providers);
    for (const namespace of new Set(registry.namespaces)) {
      const secrets = owned.includes(namespace)
        ? []
        : placePullSecret(namespace, registry, options);
      patchDefaultAccount(namespace, name, { ...options, dependsOn: secrets });
    }
  }

  #placeCa(namespace: string, settings: Settings, options: pulumi.CustomResourceOptions): void {
    if (settings.registry?.ca === undefined) return;
    new ConfigMap(
      `registry-ca-${namespace}`,
      { metadata: { name: REGISTRY_CA_NAME, namespace }, data: { "ca.crt": settings.registry.ca } },
      options,
    );
  }
}
