import * as pulumi from "@pulumi/pulumi";
import { getChart } from "../plan/plan.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import { layerType } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { placeReadyChart } from "./readiness/ready-chart.ts";

export interface KnativeOperatorArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
}

/**
 * The Knative operator, part of the layer KnativeServing. A component of its own, because it needs nothing but its
 * CRDs: it starts while Istio does, and goes after the KnativeServing resource, so that the finalizer is served.
 */
export class KnativeOperator extends pulumi.ComponentResource {
  /** Release of the operator, without a leading v. */
  readonly version: string;

  constructor(name: string, args: KnativeOperatorArgs) {
    const chart = getChart(args.layer, "operator");
    super(layerType("KnativeOperator"), name, {}, { dependsOn: [args.crds] });
    this.version = args.plan.selection.versions["knative-operator"] ?? chart.version;
    placeReadyChart(this, args, {
      name,
      chart,
      namespace: args.plan.settings.namespaces.knativeOperator,
      kinds: { except: ["CustomResourceDefinition"] },
    });
    this.registerOutputs({ version: this.version });
  }
}
