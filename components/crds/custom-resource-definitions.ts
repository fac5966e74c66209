import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import type { LayerName, Plan, PlannedCrds, PlannedLayer } from "../../plan/plan.ts";
import type { Product } from "../../versions/schema.ts";
import { renderChart } from "../charts/place-chart.ts";
import { childOf, layerType } from "../layer.ts";
import type { Providers } from "../layer.ts";
import type { Namespaces } from "../namespaces.ts";
import type { PlacedObjects } from "../placed-objects.ts";
import { combine } from "../transforms.ts";
import type { ObjectTransform } from "../transforms.ts";
import { definitionsIn } from "./changing-schemas.ts";
import type { RecordPlace } from "./changing-schemas.ts";
import { CrdInstaller } from "./crd-installer.ts";
import type { BundleRecord } from "./crd-installer.ts";
import { handoverPlace, takeHandover } from "./handover.ts";

export interface CustomResourceDefinitionsArgs {
  readonly plan: Plan;
  readonly providers: Providers;
  readonly namespaces: Namespaces;
  /** Texts of the published files of manifests, by file name. */
  readonly manifests: ReadonlyMap<string, string>;
  readonly placed: PlacedObjects;
}

/**
 * Layers whose definitions cert-manager waits for, its own and those that it watches where its values say so. They go
 * first: nothing in an installation takes as long as cert-manager's start-up check, and KServe waits for it.
 */
export const CERT_MANAGER_NEEDS: readonly LayerName[] = ["CertManager", "GatewayApi"];

/** How the definitions of a record come to the cluster. */
interface Handling {
  readonly layer: LayerName;
  readonly hooks: pulumi.ResourceHookBinding;
  readonly urgent: boolean;
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
  readonly #records = new Map<LayerName, pulumi.Resource[]>();
  readonly #definitions = new Map<LayerName, string[]>();

  constructor(name: string, args: CustomResourceDefinitionsArgs) {
    const products = args.plan.layers.filter((layer) => layer.crds.length > 0);
    super(
      layerType("CustomResourceDefinitions"),
      name,
      { releases: Object.fromEntries(products.map((layer) => [layer.product, layer.version])) },
      { dependsOn: [args.namespaces] },
    );
    this.#args = args;
    this.#installer = new CrdInstaller(args.providers.connection);
    for (const layer of products)
      this.#records.set(
        layer.name,
        layer.crds.map((crds) => this.#place(`${name}-${crds.name}`, crds, layer)),
      );
    this.registerOutputs({});
  }

  /** Version of a product whose CRDs are here, in the form that layers tell what they stand on. */
  releaseOf(product: Product): { readonly product: Product; readonly version: string }[] {
    return this.#args.plan.layers.filter((layer) => layer.product === product);
  }

  /** The records of some layers: what a layer waits for that cannot wait for all. */
  of(layers: readonly LayerName[]): pulumi.Resource[] {
    return layers.flatMap((layer) => this.#records.get(layer) ?? []);
  }

  /** Names (`plural.group`) of a layer's definitions; all of them once what waits for the records is registered. */
  definitionsOf(layer: LayerName): readonly string[] {
    return this.#definitions.get(layer) ?? [];
  }

  #place(name: string, crds: PlannedCrds, layer: PlannedLayer): pulumi.Resource {
    this.#args.placed.schemas?.expect(placeOf(crds));
    const handling: Handling = {
      layer: layer.name,
      hooks: this.#installer.hooks(deletesCrds(layer, this.#args.plan)),
      urgent: CERT_MANAGER_NEEDS.includes(layer.name),
    };
    return crds.source === "chart"
      ? this.#placeFromChart(name, crds, handling)
      : this.#placeFromFile(name, crds, handling);
  }

  #placeFromChart(
    name: string,
    crds: Extract<PlannedCrds, { source: "chart" }>,
    { layer, hooks, urgent }: Handling,
  ): pulumi.Resource {
    const { chart, namespace } = crds;
    const record: ObjectTransform = (object, options) => {
      const from = `${chart.name} ${chart.version}`;
      const { leaveOut } = chart;
      const text = takeHandover(recordName(crds));
      const data = { ...this.#installer.remember(from, text, { leaveOut, urgent }) };
      this.#note(layer, crds, data);
      return { object: { ...object, data }, options: { ...options, hooks } };
    };
    return renderChart(this, this.#args, {
      name,
      chart,
      namespace,
      postRenderer: {
        command: process.execPath,
        args: [BUNDLE_CRDS, recordName(crds), handoverPlace(recordName(crds))],
      },
      transforms: [combine([record])],
    });
  }

  #placeFromFile(
    name: string,
    crds: Extract<PlannedCrds, { source: "manifest" }>,
    { layer, hooks, urgent }: Handling,
  ): pulumi.Resource {
    const { manifest, namespace } = crds;
    const text = this.#args.manifests.get(manifest.file) ?? "";
    const data = { ...this.#installer.remember(manifest.file, text, { urgent }) };
    this.#note(layer, crds, data);
    return new ConfigMap(
      name,
      { metadata: { name: recordName(crds), namespace }, data },
      childOf(this, this.#args.providers, { hooks }),
    );
  }

  #note(layer: LayerName, crds: PlannedCrds, record: BundleRecord): void {
    const known = this.#definitions.get(layer) ?? [];
    this.#definitions.set(layer, [...known, ...definitionsIn(record.objects)]);
    this.#args.placed.schemas?.compare(placeOf(crds), record);
  }
}

function placeOf(crds: PlannedCrds): RecordPlace {
  return { name: recordName(crds), namespace: crds.namespace };
}

function recordName(crds: PlannedCrds): string {
  return `crds-${crds.name}`;
}

function deletesCrds(layer: PlannedLayer, plan: Plan): boolean {
  const { gatewayApi, certManager } = plan.settings;
  if (layer.name === "GatewayApi") return gatewayApi.deleteCrdsOnDestroy;
  return layer.name === "CertManager" && certManager.deleteCrdsOnDestroy;
}
