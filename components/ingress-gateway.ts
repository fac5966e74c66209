import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import { GATEWAY_NAME } from "../plan/values/kserve.ts";
import { childOf, layerType } from "./layer.ts";
import { IN_BACKGROUND } from "./transforms.ts";
import type { LayerArgs } from "./layer.ts";
import { awaitObjects, certificateReady } from "./readiness/ready-objects.ts";
import type { ReadyObjects } from "./readiness/ready-objects.ts";

/** Secret that cert-manager writes the gateway's certificate to. */
const TLS_SECRET = "kserve-ingress-tls";

/** Issuer made here when the stack names none: browsers will not trust it, traffic is encrypted all the same. */
const SELF_SIGNED = "kserve-ingress-selfsigned";

/**
 * The layers that can own class and Gateway, by their names in index.ts. What one of them created moves to the other
 * when a stack changes its ingress type: a second object of the same name could not be created beside the first.
 */
const OWNERS = [
  { name: "gateway-api", type: layerType("GatewayApi") },
  { name: "envoy-gateway", type: layerType("EnvoyGateway") },
] as const;

/** The layer that class and Gateway are placed in. */
export interface GatewayOwner {
  readonly parent: pulumi.ComponentResource;
  readonly name: string;
  readonly args: LayerArgs;
}

/** Where a controller finds its own settings for a class. */
export interface ParametersRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** How a GatewayClass is placed. */
export interface ClassPlacement {
  readonly parametersRef?: ParametersRef;
  readonly dependsOn?: pulumi.Resource[];
}

/** The GatewayClass of the stack, where the plan knows its controller. */
export function placeGatewayClass(
  owner: GatewayOwner,
  placement: ClassPlacement = {},
): CustomResource | undefined {
  const { className, controllerName } = owner.args.plan.ingress;
  if (className === undefined || controllerName === undefined) return undefined;
  const { parametersRef, dependsOn = [] } = placement;
  return new CustomResource(
    `${owner.name}-class`,
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name: className, annotations: IN_BACKGROUND },
      spec: { controllerName, ...(parametersRef === undefined ? {} : { parametersRef }) },
    },
    optionsOf(owner, "class", dependsOn),
  );
}

/** Waits until the controller has taken the class; only where the controller is installed before. */
export function awaitAccepted(owner: GatewayOwner, gatewayClass: CustomResource): pulumi.Stash {
  const { className = "", controllerName } = owner.args.plan.ingress;
  const path = `/apis/gateway.networking.k8s.io/v1/gatewayclasses/${className}`;
  return awaitOwned(owner, "class", {
    namespace: owner.args.plan.settings.namespaces.envoyGateway,
    objects: [gatewayClass],
    conditions: [{ kind: "GatewayClass", path, condition: "Accepted" }],
    spec: [className, controllerName],
  });
}

/**
 * The Gateway `kserve-ingress-gateway` with HTTP on 80 and HTTPS on 443, its certificate issued by cert-manager.
 * Nothing waits for it to be programmed: that takes an address, which a cluster without load balancers never gives.
 */
export function placeGateway(owner: GatewayOwner, dependsOn: pulumi.Resource[]): CustomResource {
  const certificate = issueCertificate(owner);
  const { plan } = owner.args;
  const allowedRoutes = { namespaces: { from: "All" } };
  return new CustomResource(
    `${owner.name}-gateway`,
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: {
        name: GATEWAY_NAME,
        namespace: plan.settings.namespaces.kserve,
        annotations: IN_BACKGROUND,
      },
      spec: {
        gatewayClassName: plan.ingress.className,
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
    optionsOf(owner, "gateway", [...dependsOn, certificate]),
  );
}

function issueCertificate(owner: GatewayOwner): pulumi.Stash {
  const { namespaces, ingress } = owner.args.plan.settings;
  const selfSigned = ingress.issuer === undefined ? [createIssuer(owner)] : [];
  const spec = {
    secretName: TLS_SECRET,
    dnsNames: [ingress.domain, `*.${ingress.domain}`],
    issuerRef: {
      group: "cert-manager.io",
      ...(ingress.issuer ?? { name: SELF_SIGNED, kind: "Issuer" }),
    },
  };
  const certificate = new CustomResource(
    `${owner.name}-certificate`,
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: { name: TLS_SECRET, namespace: namespaces.kserve, annotations: IN_BACKGROUND },
      spec,
    },
    optionsOf(owner, "certificate", selfSigned),
  );
  return awaitOwned(owner, "certificate", {
    namespace: namespaces.kserve,
    objects: [certificate],
    conditions: [certificateReady(namespaces.kserve, TLS_SECRET)],
    spec,
  });
}

function awaitOwned(
  { parent, name, args }: GatewayOwner,
  role: string,
  what: ReadyObjects,
): pulumi.Stash {
  const { connection } = args.providers;
  return awaitObjects(`${name}-${role}`, what, { parent, connection });
}

function createIssuer(owner: GatewayOwner): CustomResource {
  return new CustomResource(
    `${owner.name}-issuer`,
    {
      apiVersion: "cert-manager.io/v1",
      kind: "Issuer",
      metadata: {
        name: SELF_SIGNED,
        namespace: owner.args.plan.settings.namespaces.kserve,
        annotations: IN_BACKGROUND,
      },
      spec: { selfSigned: {} },
    },
    optionsOf(owner, "issuer", []),
  );
}

function optionsOf(
  owner: GatewayOwner,
  role: string,
  dependsOn: pulumi.Resource[],
): pulumi.CustomResourceOptions {
  const others = OWNERS.filter(({ name }) => name !== owner.name);
  const aliases = others.map(({ name, type }) => ({
    name: `${name}-${role}`,
    parent: pulumi.createUrn(name, type),
  }));
  return childOf(owner.parent, owner.args.providers, { dependsOn, aliases });
}
