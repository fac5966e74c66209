import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim.js";
import type { Chart } from "@pulumi/kubernetes/helm/v4/chart.js";
import * as pulumi from "@pulumi/pulumi";
import { getChart } from "../plan/plan.ts";
import { STORAGE_CA_NAME, storageCa } from "../plan/values/kserve.ts";
import type { ReleaseOf } from "../versions/schema.ts";
import type { CertManager } from "./cert-manager.ts";
import { placeChart } from "./charts/place-chart.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import type { EnvoyGateway } from "./envoy-gateway.ts";
import type { GatewayApi } from "./gateway-api.ts";
import type { IstioMesh } from "./istio-mesh.ts";
import type { KnativeServing } from "./knative-serving.ts";
import { childOf, layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { HAS_CA_BUNDLE, waitFor } from "./transforms.ts";

export interface KServeCoreArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
  readonly certManager: CertManager;
  /** Layers that the mode and the ingress ask for; absent where they do not. */
  readonly gatewayApi: GatewayApi | undefined;
  readonly istio: IstioMesh | undefined;
  readonly envoyGateway: EnvoyGateway | undefined;
  readonly knative: KnativeServing | undefined;
  readonly release: ReleaseOf<"kserve">;
}

/** Kinds that KServe's webhook judges; they can only go in once it answers. */
const RUNTIME_KINDS = ["ClusterServingRuntime", "ServingRuntime", "LLMInferenceServiceConfig"];

/**
 * KServe: the controller, then the serving runtimes.
 *
 * Needs its CRDs, cert-manager, and in Serverless mode a KnativeServing that is ready: the controller looks for its kinds once,
 * at start. The runtimes wait until the controller's Deployment is available, its certificate issued and its webhooks
 * signed; sent earlier they are refused ("failed calling webhook … connection refused", kserve/kserve#5037). Releases
 * whose runtimes are in the controller chart get the same order, by placing that chart in two steps.
 */
export class KServeCore extends pulumi.ComponentResource {
  readonly product = "kserve";
  readonly version: string;

  constructor(name: string, args: KServeCoreArgs) {
    const { certManager, gatewayApi, istio, envoyGateway, knative } = args;
    const below = [certManager, gatewayApi, istio, envoyGateway, knative].filter(
      (layer) => layer !== undefined,
    );
    super(
      layerType("KServeCore"),
      name,
      { ...args.layer.contract, standsOn: standsOn(below) },
      { dependsOn: [args.crds, ...below] },
    );
    this.version = args.layer.version;
    const storageTrust = this.#createStorageTrust(name, args);
    const controller = this.#installController(name, args, storageTrust);
    this.#installRuntimes(name, args, controller);
    this.#createModelRegistry(name, args, controller);
    this.#createModelVolume(name, args);
    this.registerOutputs({ version: this.version });
  }

  /** KServe copies it into every namespace with models, and wants the key of exactly this name. */
  #createStorageTrust(name: string, args: KServeCoreArgs): ConfigMap[] {
    const { settings } = args.plan;
    const ca = storageCa(args.release, settings);
    if (ca === undefined) return [];
    const metadata = { name: STORAGE_CA_NAME, namespace: settings.namespaces.kserve };
    return [
      new ConfigMap(
        `${name}-storage-ca`,
        { metadata, data: { "cabundle.crt": ca } },
        childOf(this, args.providers),
      ),
    ];
  }

  #installController(
    name: string,
    args: KServeCoreArgs,
    before: readonly pulumi.Resource[],
  ): Chart {
    const { controller } = args.release;
    return placeChart(this, args, {
      name: `${name}-controller`,
      chart: getChart(args.layer, "controller"),
      namespace: args.plan.settings.namespaces.kserve,
      kinds: { except: RUNTIME_KINDS },
      transforms: [
        waitFor("Certificate", "condition=Ready", [controller.certificate]),
        waitFor("ValidatingWebhookConfiguration", HAS_CA_BUNDLE, controller.validatingWebhooks),
        waitFor("MutatingWebhookConfiguration", HAS_CA_BUNDLE, controller.mutatingWebhooks),
      ],
      dependsOn: before,
    });
  }

  #installRuntimes(name: string, args: KServeCoreArgs, controller: Chart): Chart {
    return placeChart(this, args, {
      name: `${name}-runtimes`,
      chart: getChart(args.layer, args.release.runtimes.chart),
      namespace: args.plan.settings.namespaces.kserve,
      kinds: { only: RUNTIME_KINDS },
      dependsOn: [controller],
    });
  }

  #createModelRegistry(name: string, args: KServeCoreArgs, controller: Chart): void {
    const registry = args.plan.settings.features.modelRegistry;
    if (registry === undefined) return;
    new CustomResource(
      `${name}-model-registry`,
      {
        apiVersion: "serving.kserve.io/v1alpha1",
        kind: "ClusterStorageContainer",
        metadata: { name: "model-registry" },
        spec: {
          container: {
            name: "storage-initializer",
            image: args.plan.imageMap.target(registry.image),
          },
          supportedUriFormats: registry.supportedUriFormats.map((regex) => ({ regex })),
        },
      },
      childOf(this, args.providers, { dependsOn: [controller] }),
    );
  }

  #createModelVolume(name: string, args: KServeCoreArgs): void {
    const { storage, namespaces } = args.plan.settings;
    if (storage === undefined) return;
    new PersistentVolumeClaim(
      `${name}-models`,
      {
        // Bound when the first pod uses it, with most storage classes; an install must not wait for that.
        metadata: {
          name: "kserve-models",
          namespace: namespaces.kserve,
          annotations: { "pulumi.com/skipAwait": "true" },
        },
        spec: {
          accessModes: ["ReadWriteMany"],
          storageClassName: storage.className,
          resources: { requests: { storage: storage.size } },
        },
      },
      childOf(this, args.providers),
    );
  }
}
