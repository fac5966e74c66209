import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import type { IstioMesh } from "./istio-mesh.ts";
import type { KnativeOperator } from "./knative-operator.ts";
import { childOf, layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { IN_BACKGROUND } from "./transforms.ts";

export interface KnativeServingArgs extends LayerArgs {
  readonly operator: KnativeOperator;
  /** Absent with Kourier, which the operator brings along. */
  readonly istio: IstioMesh | undefined;
}

/**
 * Knative Serving: the KnativeServing resource at an exact version.
 *
 * Needs the operator, and Istio's CRDs and namespace with Istio as network layer; Kourier comes out of the operator itself. Ready only
 * when the resource says so for that version: KServe, started earlier, would reject Serverless services until its
 * next restart. Destroyed before the operator, so that its finalizer is served. Leaves out Eventing.
 */
export class KnativeServing extends pulumi.ComponentResource {
  readonly product = "knative-serving";
  readonly version: string;

  constructor(name: string, args: KnativeServingArgs) {
    const below = args.istio === undefined ? [] : [args.istio];
    super(
      layerType("KnativeServing"),
      name,
      {
        ...args.layer.contract,
        operatorVersion: args.operator.version,
        standsOn: standsOn(below),
      },
      { dependsOn: [args.operator, ...below] },
    );
    this.version = args.layer.version;
    this.#createServing(name, args);
    this.registerOutputs({ version: this.version });
  }

  #createServing(name: string, args: KnativeServingArgs): CustomResource {
    return new CustomResource(
      `${name}-serving`,
      {
        apiVersion: "operator.knative.dev/v1beta1",
        kind: "KnativeServing",
        metadata: {
          name: "knative-serving",
          namespace: args.plan.settings.namespaces.knativeServing,
          annotations: {
            // The operator's finalizer holds the object until everything it installed is gone.
            ...IN_BACKGROUND,
            "pulumi.com/waitFor": JSON.stringify([
              "condition=Ready",
              `jsonpath={.status.version}=${this.version}`,
            ]),
          },
        },
        spec: args.plan.knativeServing ?? {},
      },
      childOf(this, args.providers),
    );
  }
}
