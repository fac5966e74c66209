import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import type { IstioMesh } from "./istio-mesh.ts";
import type { KnativeOperator } from "./knative-operator.ts";
import { childOf, layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { awaitReady, digestOf } from "./readiness/await-ready.ts";
import { labelledContents } from "./readiness/contents.ts";
import type { Cluster } from "./readiness/part.ts";
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
 * when the resource says so for that version and Serving's webhooks answer: KServe, started earlier, would reject
 * Serverless services until its next restart. Destroyed before the operator, so that its finalizer is served. Leaves out Eventing.
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
    this.#awaitServing(name, args, this.#createServing(name, args));
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
          // The operator's finalizer holds the object until everything it installed is gone.
          annotations: IN_BACKGROUND,
        },
        spec: args.plan.knativeServing ?? {},
      },
      childOf(this, args.providers),
    );
  }

  /** What the operator installs is labelled (knative/operator@knative-v1.20.2:cmd/operator/kodata/knative-serving). */
  #awaitServing(name: string, args: KnativeServingArgs, serving: CustomResource): void {
    const namespace = args.plan.settings.namespaces.knativeServing;
    const path = `/apis/operator.knative.dev/v1beta1/namespaces/${namespace}/knativeservings/knative-serving`;
    const part = {
      name: `Knative Serving ${this.version}`,
      namespace,
      contents: (api: Cluster) =>
        labelledContents(api, namespace, "app.kubernetes.io/name=knative-serving"),
      hasWorkloads: false,
      conditions: [{ kind: "KnativeServing", path, condition: "Ready", version: this.version }],
    };
    awaitReady(name, part, {
      parent: this,
      connection: args.providers.connection,
      dependsOn: [serving],
      of: { version: this.version, spec: digestOf(args.plan.knativeServing) },
    });
  }
}
