import type { Chart } from "@pulumi/kubernetes/helm/v4/chart.js";
import * as pulumi from "@pulumi/pulumi";
import { getChart } from "../plan/plan.ts";
import { mergeValues } from "../plan/values/merge.ts";
import { placeChart } from "./charts/place-chart.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import { IstioGateway } from "./istio-gateway.ts";
import { layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import type { Leftovers } from "./leftovers.ts";
import { placeReadyChart } from "./readiness/ready-chart.ts";
import { forceUpdates } from "./transforms.ts";

export interface IstioMeshArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
  readonly leftovers: Leftovers;
}

/**
 * Istio: the `base` chart without its CRDs, istiod, and for Serverless the ingress gateway that Knative's Gateways select.
 *
 * Needs its own CRDs and those of Gateway API, so that istiod watches them from its start. Inside
 * istiod's chart, the injector's ConfigMap comes before the Deployment: istiod looks for it once, at its start. The
 * gateway waits until the injector answers: a gateway pod created before that would pull the image `auto` forever. Its own chart
 * is not used, since newer Helm cannot render it for several releases (istio/istio#57354). Leaves out sidecars for
 * other namespaces, CNI and ambient.
 */
export class IstioMesh extends pulumi.ComponentResource {
  readonly product = "istio";
  readonly version: string;

  constructor(name: string, args: IstioMeshArgs) {
    super(
      layerType("IstioMesh"),
      name,
      { ...args.layer.contract, standsOn: standsOn(args.crds.releaseOf("gateway-api")) },
      { dependsOn: [args.crds, ...args.leftovers.of("IstioMesh")] },
    );
    this.version = args.layer.version;
    // Side by side: with the CRDs out of it, `base` holds nothing that istiod waits for.
    this.#installBase(name, args);
    const istiod = this.#installIstiod(name, args);
    if (args.plan.settings.mode === "Serverless") this.#installGateway(name, args, istiod);
    this.registerOutputs({ version: this.version });
  }

  #installBase(name: string, args: IstioMeshArgs): Chart {
    const chart = getChart(args.layer, "base");
    // Its definitions are left out below: that they are not labelled before spares half of the rendering
    // (istio/istio@1.28.10:manifests/charts/base/templates/crds.yaml).
    const values = mergeValues(chart.values, { base: { enableCRDTemplates: false } });
    return placeChart(this, args, {
      name: `${name}-base`,
      chart: { ...chart, values },
      namespace: args.plan.settings.namespaces.istio,
      kinds: { except: ["CustomResourceDefinition"] },
      transforms: [forceUpdates("ValidatingWebhookConfiguration")],
    });
  }

  #installIstiod(name: string, args: IstioMeshArgs): pulumi.Stash {
    return placeReadyChart(this, args, {
      name: `${name}-istiod`,
      chart: getChart(args.layer, "controller"),
      namespace: args.plan.settings.namespaces.istio,
      transforms: [forceUpdates("ValidatingWebhookConfiguration")],
    });
  }

  #installGateway(name: string, args: IstioMeshArgs, istiod: pulumi.Stash): IstioGateway {
    return new IstioGateway(`${name}-gateway`, args, { parent: this, dependsOn: [istiod] });
  }
}
