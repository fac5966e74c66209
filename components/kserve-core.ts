import type { Chart } from "@pulumi/kubernetes/helm/v4/chart.js";
import * as pulumi from "@pulumi/pulumi";
import { getChart } from "../plan/plan.ts";
import type { ReleaseOf } from "../versions/schema.ts";
import type { CertManager } from "./cert-manager.ts";
import { placeChart } from "./charts/place-chart.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import type { EnvoyGateway } from "./envoy-gateway.ts";
import type { GatewayApi } from "./gateway-api.ts";
import type { IstioMesh } from "./istio-mesh.ts";
import type { KnativeServing } from "./knative-serving.ts";
import { installLlm, PRESET_KIND } from "./kserve/llm.ts";
import { installLocalModel } from "./kserve/local-model.ts";
import { createModelRegistry, createModelVolume, createStorageTrust } from "./kserve/models.ts";
import type { KServeStep } from "./kserve/step.ts";
import { layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import type { Leftovers } from "./leftovers.ts";
import { placeReadyChart } from "./readiness/ready-chart.ts";

export interface KServeCoreArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
  readonly leftovers: Leftovers;
  readonly certManager: CertManager;
  /** Layers that the mode and the ingress ask for; absent where they do not. */
  readonly gatewayApi: GatewayApi | undefined;
  readonly istio: IstioMesh | undefined;
  readonly envoyGateway: EnvoyGateway | undefined;
  readonly knative: KnativeServing | undefined;
  readonly release: ReleaseOf<"kserve">;
}

/** Kinds that KServe's webhook judges; they can only go in once it answers. */
const RUNTIME_KINDS = ["ClusterServingRuntime", "ServingRuntime"];

/**
 * KServe: the controller, then the serving runtimes; with the features that the stack asks for, the local model cache
 * and LLMInferenceService beside them.
 *
 * Needs its CRDs, cert-manager, the GatewayClass (not the Gateway: its certificate is issued meanwhile), and in Serverless
 * mode a KnativeServing that is ready: the controller looks for its kinds once, at start, and keeps the answer. The
 * runtimes wait until every webhook of the controller answers; sent earlier they are refused ("failed calling webhook …
 * connection refused", kserve/kserve#5037), for the Deployment is available before its webhook's port listens
 * (kserve/kserve#4182). Releases whose runtimes are in the controller chart get the same order, by placing that chart in
 * two steps.
 */
export class KServeCore extends pulumi.ComponentResource {
  readonly product = "kserve";
  readonly version: string;

  constructor(name: string, args: KServeCoreArgs) {
    const { certManager, gatewayApi, istio, envoyGateway, knative } = args;
    const below = [certManager, gatewayApi, istio, envoyGateway, knative].filter(
      (layer) => layer !== undefined,
    );
    const before = [certManager, gatewayApi?.gatewayClass, istio, envoyGateway, knative].filter(
      (resource) => resource !== undefined,
    );
    super(
      layerType("KServeCore"),
      name,
      { ...args.layer.contract, standsOn: standsOn(below) },
      { dependsOn: [args.crds, ...args.leftovers.of("KServeCore"), ...before] },
    );
    this.version = args.layer.version;
    const step: KServeStep = { ...args, parent: this, name };
    const controller = this.#installController(name, args, createStorageTrust(step));
    this.#installRuntimes(name, args, controller);
    installLocalModel(step, controller);
    installLlm(step, controller);
    createModelRegistry(step, controller);
    createModelVolume(step);
    this.registerOutputs({ version: this.version });
  }

  #installController(
    name: string,
    args: KServeCoreArgs,
    before: readonly pulumi.CustomResource[],
  ): pulumi.Stash {
    return placeReadyChart(this, args, {
      name: `${name}-controller`,
      chart: getChart(args.layer, "controller"),
      namespace: args.plan.settings.namespaces.kserve,
      kinds: { except: [...RUNTIME_KINDS, PRESET_KIND] },
      dependsOn: before,
    });
  }

  #installRuntimes(name: string, args: KServeCoreArgs, controller: pulumi.Stash): Chart {
    return placeChart(this, args, {
      name: `${name}-runtimes`,
      chart: getChart(args.layer, args.release.runtimes.chart),
      namespace: args.plan.settings.namespaces.kserve,
      kinds: { only: RUNTIME_KINDS },
      dependsOn: [controller],
    });
  }
}
