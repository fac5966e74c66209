import type { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import type { CertManager } from "./cert-manager.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import { placeGateway, placeGatewayClass } from "./ingress-gateway.ts";
import { layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";

export interface GatewayApiArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
  readonly certManager: CertManager;
}

/**
 * Gateway API: a GatewayClass where the stack names its controller, and the Gateway `kserve-ingress-gateway`; with Envoy
 * Gateway those two are in its own layer, behind its controller.
 *
 * Needs its CRDs (and from 1.5 the bundle's own upgrade guard), and cert-manager for the certificate. Leaves out
 * whatever serves the class: that is Istio or an implementation of the cluster's owner.
 */
export class GatewayApi extends pulumi.ComponentResource {
  readonly product = "gateway-api";
  readonly version: string;
  /** The class that routes of KServe are served by; absent where others bring it. */
  readonly gatewayClass: CustomResource | undefined;

  constructor(name: string, args: GatewayApiArgs) {
    const below = [args.certManager];
    super(
      layerType("GatewayApi"),
      name,
      { ...args.layer.contract, standsOn: standsOn(below) },
      { dependsOn: [args.crds, ...below] },
    );
    this.version = args.layer.version;
    if (args.plan.ingress.gateway && args.plan.ingress.type !== "envoy") {
      const owner = { parent: this, name, args };
      this.gatewayClass = placeGatewayClass(owner);
      placeGateway(owner, this.gatewayClass === undefined ? [] : [this.gatewayClass]);
    }
    this.registerOutputs({ version: this.version });
  }
}
