import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import type { Chart } from "@pulumi/kubernetes/helm/v4/chart.js";
import * as pulumi from "@pulumi/pulumi";
import { getChart } from "../plan/plan.ts";
import type { CertManager } from "./cert-manager.ts";
import { placeChart } from "./charts/place-chart.ts";
import type { IstioMesh } from "./istio-mesh.ts";
import { childOf, layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { adoptCrds } from "./transforms.ts";

export interface KnativeServingArgs extends LayerArgs {
  readonly certManager: CertManager;
  /** Absent with Kourier, which the operator brings along. */
  readonly istio: IstioMesh | undefined;
}

/**
 * Knative Serving: the operator, then the KnativeServing resource at an exact version.
 *
 * Needs Istio's CRDs and namespace with Istio as network layer; Kourier comes out of the operator itself. Ready only
 * when the resource says so for that version: KServe, started earlier, would reject Serverless services until its
 * next restart. Destroyed before the operator, so that its finalizer is served. Leaves out Eventing.
 */
export class KnativeServing extends pulumi.ComponentResource {
  readonly product = "knative-serving";
  readonly version: string;

  constructor(name: string, args: KnativeServingArgs) {
    const below = [args.certManager, ...(args.istio === undefined ? [] : [args.istio])];
    const operatorVersion = args.plan.selection.versions["knative-operator"];
    super(
      layerType("KnativeServing"),
      name,
      { ...args.layer.contract, operatorVersion, standsOn: standsOn(below) },
      { dependsOn: below },
    );
    this.version = args.layer.version;
    const operator = this.#installOperator(name, args);
    this.#createServing(name, args, operator);
    this.registerOutputs({ version: this.version });
  }

  #installOperator(name: string, args: KnativeServingArgs): Chart {
    return placeChart(this, args, {
      name: `${name}-operator`,
      chart: getChart(args.layer, "operator"),
      namespace: args.plan.settings.namespaces.knativeOperator,
      transforms: [adoptCrds(args.providers, false)],
    });
  }

  #createServing(name: string, args: KnativeServingArgs, operator: Chart): CustomResource {
    return new CustomResource(
      `${name}-serving`,
      {
        apiVersion: "operator.knative.dev/v1beta1",
        kind: "KnativeServing",
        metadata: {
          name: "knative-serving",
          namespace: args.plan.settings.namespaces.knativeServing,
          annotations: {
            "pulumi.com/waitFor": JSON.stringify([
              "condition=Ready",
              `jsonpath={.status.version}=${this.version}`,
            ]),
          },
        },
        spec: args.plan.knativeServing ?? {},
      },
      childOf(this, args.providers, { dependsOn: [operator] }),
    );
  }
}
