import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import { GATEWAY_NAME } from "../plan/values/kserve.ts";
import type { CertManager } from "./cert-manager.ts";
import type { CustomResourceDefinitions } from "./crds/custom-resource-definitions.ts";
import { childOf, layerType, standsOn } from "./layer.ts";
import type { LayerArgs } from "./layer.ts";

export interface GatewayApiArgs extends LayerArgs {
  readonly crds: CustomResourceDefinitions;
  readonly certManager: CertManager;
}

/** Secret that cert-manager writes the gateway's certificate to. */
const TLS_SECRET = "kserve-ingress-tls";

/**
 * Gateway API: a GatewayClass where the stack names its controller, and the Gateway `kserve-ingress-gateway` with HTTP
 * on 80 and HTTPS on 443, its certificate issued by cert-manager.
 *
 * Needs its CRDs (and from 1.5 the bundle's own upgrade guard), and cert-manager for the certificate. Leaves out whatever serves the class: that is Istio
 * or an implementation of the cluster's owner, which is also why nothing waits for the Gateway to be programmed.
 */
export class GatewayApi extends pulumi.ComponentResource {
  readonly product = "gateway-api";
  readonly version: string;

  constructor(name: string, args: GatewayApiArgs) {
    const below = [args.certManager];
    super(
      layerType("GatewayApi"),
      name,
      { ...args.layer.contract, standsOn: standsOn(below) },
      { dependsOn: [args.crds, ...below] },
    );
    this.version = args.layer.version;
    if (args.plan.ingress.gateway) {
      const gatewayClass = this.#createClass(name, args);
      const certificate = this.#issueCertificate(name, args);
      this.#createGateway(name, args, [...gatewayClass, certificate]);
    }
    this.registerOutputs({ version: this.version });
  }

  #createClass(name: string, args: GatewayApiArgs): pulumi.Resource[] {
    const { className, controllerName } = args.plan.ingress;
    if (className === undefined || controllerName === undefined) return [];
    return [
      new CustomResource(
        `${name}-class`,
        {
          apiVersion: "gateway.networking.k8s.io/v1",
          kind: "GatewayClass",
          metadata: { name: className },
          spec: { controllerName },
        },
        childOf(this, args.providers),
      ),
    ];
  }

  #issueCertificate(name: string, args: GatewayApiArgs): CustomResource {
    const { namespaces, ingress } = args.plan.settings;
    const options = childOf(this, args.providers);
    const selfSigned =
      ingress.issuer === undefined ? [this.#createIssuer(name, args, options)] : [];
    return new CustomResource(
      `${name}-certificate`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: {
          name: TLS_SECRET,
          namespace: namespaces.kserve,
          annotations: { "pulumi.com/waitFor": "condition=Ready" },
        },
        spec: {
          secretName: TLS_SECRET,
          dnsNames: [ingress.domain, `*.${ingress.domain}`],
          issuerRef: {
            group: "cert-manager.io",
            ...(ingress.issuer ?? { name: SELF_SIGNED, kind: "Issuer" }),
          },
        },
      },
      { ...options, dependsOn: selfSigned },
    );
  }

  #createIssuer(
    name: string,
    args: GatewayApiArgs,
    options: pulumi.CustomResourceOptions,
  ): CustomResource {
    return new CustomResource(
      `${name}-issuer`,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Issuer",
        metadata: { name: SELF_SIGNED, namespace: args.plan.settings.namespaces.kserve },
        spec: { selfSigned: {} },
      },
      options,
    );
  }

  #createGateway(name: string, args: GatewayApiArgs, dependsOn: pulumi.Resource[]): CustomResource {
    const allowedRoutes = { namespaces: { from: "All" } };
    return new CustomResource(
      `${name}-gateway`,
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        metadata: { name: GATEWAY_NAME, namespace: args.plan.settings.namespaces.kserve },
        spec: {
          gatewayClassName: args.plan.ingress.className,
          listeners: [
            { name: "http", protocol: "HTTP", port: 80, allowedRoutes },
            {
              name: "https",
              protocol: "HTTPS",
              port: 443,
              allowedRoutes,
              tls: { mode: "Terminate", certificateRefs: [{ kind: "Secret", name: TLS_SECRET }] },
            },
          ],
        },
      },
      childOf(this, args.providers, { dependsOn }),
    );
  }
}

/** Issuer made here when the stack names none: browsers will not trust it, traffic is encrypted all the same. */
const SELF_SIGNED = "kserve-ingress-selfsigned";
