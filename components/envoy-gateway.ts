import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import { getChart } from "../plan/plan.ts";
import type { CertManager } from "./cert-manager.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import { EnvoyCertificates } from "./envoy-certificates.ts";
import { awaitAccepted, placeGateway, placeGatewayClass } from "./ingress-gateway.ts";
import { childOf, layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";
import { placeReadyChart } from "./readiness/ready-chart.ts";

export interface EnvoyGatewayArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
  readonly certManager: CertManager;
}

/** Name of the EnvoyProxy resource that the class refers to. */
const PROXY = "kserve";

/**
 * Envoy Gateway: the controller, and behind it GatewayClass and Gateway.
 *
 * Needs its own CRDs and those of Gateway API, which stay ours (the chart would bring the experimental ones), and
 * cert-manager for the certificates that the chart makes in a Helm hook. Class and Gateway come after the controller and are destroyed
 * before it: it puts a finalizer on every class with Gateways, which nobody else takes away again. Leaves out the rate
 * limiter's Redis and the topology injector.
 */
export class EnvoyGateway extends pulumi.ComponentResource {
  readonly product = "envoy-gateway";
  readonly version: string;

  constructor(name: string, args: EnvoyGatewayArgs) {
    const below = [args.certManager, ...args.crds.releaseOf("gateway-api")];
    super(
      layerType("EnvoyGateway"),
      name,
      { ...args.layer.contract, standsOn: standsOn(below) },
      { dependsOn: [args.crds, args.certManager] },
    );
    this.version = args.layer.version;
    const certificates = new EnvoyCertificates(`${name}-certs`, args, { parent: this });
    const controller = this.#installController(name, args, certificates.objects);
    const proxy = this.#createProxy(name, args);
    this.#createGateway(name, args, [controller, proxy]);
    this.registerOutputs({ version: this.version });
  }

  #installController(
    name: string,
    args: EnvoyGatewayArgs,
    dependsOn: readonly pulumi.CustomResource[],
  ): pulumi.Stash {
    return placeReadyChart(this, args, {
      name: `${name}-controller`,
      chart: getChart(args.layer, "controller"),
      namespace: args.plan.settings.namespaces.envoyGateway,
      skipCrds: true,
      dependsOn,
    });
  }

  #createProxy(name: string, args: EnvoyGatewayArgs): CustomResource {
    return new CustomResource(
      `${name}-proxy`,
      {
        apiVersion: "gateway.envoyproxy.io/v1alpha1",
        kind: "EnvoyProxy",
        metadata: { name: PROXY, namespace: args.plan.settings.namespaces.envoyGateway },
        spec: args.plan.envoyProxy ?? {},
      },
      childOf(this, args.providers),
    );
  }

  #createGateway(name: string, args: EnvoyGatewayArgs, dependsOn: pulumi.Resource[]): void {
    const owner = { parent: this, name, args };
    const parametersRef = {
      group: "gateway.envoyproxy.io",
      kind: "EnvoyProxy",
      name: PROXY,
      namespace: args.plan.settings.namespaces.envoyGateway,
    };
    const gatewayClass = placeGatewayClass(owner, { parametersRef, dependsOn });
    if (gatewayClass === undefined) return;
    const accepted = awaitAccepted(owner, gatewayClass);
    if (args.plan.ingress.gateway) placeGateway(owner, [accepted]);
  }
}
