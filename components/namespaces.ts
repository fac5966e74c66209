import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/schema.ts";
import type { Plan } from "../plan/plan.ts";
import { childOf, layerType } from "./layer.ts";
import type { Providers } from "./layer.ts";

/** Name of the ConfigMap that carries the registry's private CA in every namespace. */
export const REGISTRY_CA_NAME = "kserve-registry-ca";

/**
 * The namespaces of all layers, with what pulling from the registry needs in each: the pull secret and the private CA.
 * One component for all, so that a namespace keeps its identity when mode or ingress change and never dies of it.
 */
export class Namespaces extends pulumi.ComponentResource {
  constructor(name: string, args: { readonly plan: Plan; readonly providers: Providers }) {
    const { plan, providers } = args;
    const names = [...new Set(plan.layers.flatMap((layer) => layer.namespaces))];
    super(layerType("Namespaces"), name, { namespaces: names });
    for (const namespace of names) {
      const owner = plan.settings.namespaces.create ? [this.#createNamespace(namespace, args)] : [];
      const options = childOf(this, providers, { dependsOn: owner });
      this.#placePullSecret(namespace, plan.settings, options);
      this.#placeCa(namespace, plan.settings, options);
    }
    this.registerOutputs({ namespaces: names });
  }

  #createNamespace(
    namespace: string,
    args: { readonly plan: Plan; readonly providers: Providers },
  ): Namespace {
    const warn = {
      "pod-security.kubernetes.io/warn": "baseline",
      "pod-security.kubernetes.io/audit": "baseline",
    };
    const labels = args.plan.settings.features.security ? warn : {};
    return new Namespace(
      `namespace-${namespace}`,
      { metadata: { name: namespace, labels } },
      childOf(this, args.providers),
    );
  }

  #placePullSecret(
    namespace: string,
    settings: Settings,
    options: pulumi.CustomResourceOptions,
  ): void {
    const { registry } = settings;
    if (registry?.pullSecret === undefined) return;
    new Secret(
      `pull-secret-${namespace}`,
      {
        metadata: { name: registry.pullSecret.name, namespace },
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": dockerConfig(registry.host, registry.pullSecret) },
      },
      options,
    );
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

function dockerConfig(
  host: string,
  secret: NonNullable<NonNullable<Settings["registry"]>["pullSecret"]>,
): pulumi.Output<string> {
  const password = secret.password.reveal();
  const auth = Buffer.from(`${secret.username}:${password}`).toString("base64");
  return pulumi.secret(
    JSON.stringify({ auths: { [host]: { username: secret.username, password, auth } } }),
  );
}
