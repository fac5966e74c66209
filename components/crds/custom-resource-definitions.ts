import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import type { Plan, PlannedCrds, PlannedLayer } from "../../plan/plan.ts";
import type { Product } from "../../versions/schema.ts";
import { renderChart } from "../charts/place-chart.ts";
import { childOf, layerType } from "../layer.ts";
import type { Providers } from "../layer.ts";
import type { Namespaces } from "../namespaces.ts";
import { combine } from "../transforms.ts";
import type { ObjectTransform } from "../transforms.ts";
import { CrdInstaller } from "./crd-installer.ts";

export interface CustomResourceDefinitionsArgs {
  readonly plan: Plan;
  readonly providers: Providers;
  readonly namespaces: Namespaces;
  /** Texts of the published files of manifests, by file name. */
  readonly manifests: ReadonlyMap<string, string>;
}

const BUNDLE_CRDS = join(import.meta.dirname, "bundle-crds.mjs");

/**
 * The CRDs of all layers, before any of them: one record per chart or file, side by side, since no definition needs
 * another. The cluster and the state hold the record (where from, digest, names); the definitions themselves are
 * applied by a hook (crd-installer.ts). They are shared by nature, so they are adopted where they exist, updated in
 * place and kept on destroy, unless the stack asks to delete those of Gateway API or cert-manager.
 */
export class CustomResourceDefinitions extends pulumi.ComponentResource {
  readonly #args: CustomResourceDefinitionsArgs;
  readonly #installer: CrdInstaller;

  constructor(name: string, args: CustomResourceDefinitionsArgs) {
    const products = args.plan.layers.filter((layer) => layer.crds.length > 0);
    super(
      layerType("CustomResourceDefinitions"),
      name,
      { releases: Object.fromEntries(products.map((layer) => [layer.product, layer.version])) },
      { dependsOn: [args.namespaces] },
    );
    this.#args = args;
    this.#installer = new CrdInstaller(args.plan.settings.kubernetes);
    for (const layer of products)
      for (const crds of layer.crds) this.#place(`${name}-${crds.name}`, crds, layer);
    this.registerOutputs({});
  }

  /** Version of a product whose CRDs are here, in the form that layers tell what they stand on. */
  releaseOf(product: Product): { readonly product: Product; readonly version: string }[] {
    return this.#args.plan.layers.filter((layer) => layer.product === product);
  }

  #place(name: string, crds: PlannedCrds, layer: PlannedLayer): void {
    const hooks = this.#installer.hooks(deletesCrds(layer, this.#args.plan));
    if (crds.source === "chart") this.#placeFromChart(name, crds, hooks);
    else this.#placeFromFile(name, crds, hooks);
  }

  #placeFromChart(
    name: string,
    crds: Extract<PlannedCrds, { source: "chart" }>,
    hooks: pulumi.ResourceHookBinding,
  ): void {
    const { chart, namespace } = crds;
    const record: ObjectTransform = (object, options) => {
      const { text = "" } = object["data"] as { text?: string };
      const from = `${chart.name} ${chart.version}`;
      const data = { ...this.#installer.remember(from, text, chart.leaveOut) };
      return { object: { ...object, data }, options: { ...options, hooks } };
    };
    renderChart(this, this.#args, {
      name,
      chart,
      namespace,
      postRenderer: { command: process.execPath, args: [BUNDLE_CRDS, recordName(crds)] },
      transforms: [combine([record])],
    });
  }

  #placeFromFile(
    name: string,
    crds: Extract<PlannedCrds, { source: "manifest" }>,
    hooks: pulumi.ResourceHookBinding,
  ): void {
    const { manifest, namespace } = crds;
    const text = this.#args.manifests.get(manifest.file) ?? "";
    const data = { ...this.#installer.remember(manifest.file, text) };
    new ConfigMap(
      name,
      { metadata: { name: recordName(crds), namespace }, data },
      childOf(this, this.#args.providers, { hooks }),
    );
  }
}

function recordName(crds: PlannedCrds): string {
  return `crds-${crds.name}`;
}

function deletesCrds(layer: PlannedLayer, plan: Plan): boolean {
  const { gatewayApi, certManager } = plan.settings;
  if (layer.name === "GatewayApi") return gatewayApi.deleteCrdsOnDestroy;
  return layer.name === "CertManager" && certManager.deleteCrdsOnDestroy;
}
