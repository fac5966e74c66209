import type { Settings } from "../../config/schema.ts";
import type { ImageMap } from "../../images/image-map.ts";
import type { ReleaseOf } from "../../versions/schema.ts";
import type { ResolvedIngress, Values } from "../plan.ts";
import { imageValues, upstreamOf } from "./images.ts";
import { mergeValues } from "./merge.ts";

interface EnvoyContext {
  readonly map: ImageMap;
  readonly pullSecret: string | undefined;
}

/** Values of the chart `gateway-crds-helm`: Envoy Gateway's own kinds only, those of Gateway API have a layer of their own. */
export const ENVOY_GATEWAY_CRDS: Values = {
  crds: { gatewayAPI: { enabled: false }, envoyGateway: { enabled: true } },
};

/**
 * Values of the chart `gateway-helm`. Its subchart `crds` (from 1.8 on) is switched off in both ways that releases know:
 * as a whole from 1.8.2, and before only its policy, whose definitions a component leaves out.
 *
 * The topology injector is off: its webhook is a Helm hook, which rendered charts do not have, and a controller that
 * believes in it would serve a webhook that nobody calls.
 */
export function envoyGatewayValues(
  release: ReleaseOf<"envoy-gateway">,
  settings: Settings,
  context: EnvoyContext & { readonly ingress: ResolvedIngress },
): Values {
  const { replicas, resources, values } = settings.envoyGateway;
  const { controllerName } = context.ingress;
  return mergeValues(
    {
      crds: { enabled: false, gatewayAPI: { safeUpgradePolicy: { enabled: false } } },
      topologyInjector: { enabled: false },
    },
    controllerName === undefined
      ? {}
      : { config: { envoyGateway: { gateway: { controllerName } } } },
    ...release.images.map((image) => imageValues(image, context.map)),
    context.pullSecret === undefined
      ? {}
      : { global: { imagePullSecrets: [{ name: context.pullSecret }] } },
    replicas === undefined ? {} : { deployment: { replicas } },
    resources === undefined ? {} : { deployment: { envoyGateway: { resources } } },
    values,
  );
}

/**
 * `spec` of the EnvoyProxy resource that the GatewayClass refers to: how the controller makes proxies. The image is in
 * no manifest otherwise, the controller has it built in; releases before 1.8 have no chart value for it either.
 */
export function envoyProxySpec(
  release: ReleaseOf<"envoy-gateway">,
  settings: Settings,
  context: EnvoyContext,
): Values {
  const { replicas, resources, serviceType } = settings.envoyGateway.proxy;
  const image = release.images.find(({ name }) => name === "envoy");
  return {
    provider: {
      type: "Kubernetes",
      kubernetes: {
        envoyDeployment: {
          replicas,
          container: {
            ...(image === undefined ? {} : { image: context.map.target(upstreamOf(image)) }),
            ...(resources === undefined ? {} : { resources }),
          },
          ...(context.pullSecret === undefined
            ? {}
            : { pod: { imagePullSecrets: [{ name: context.pullSecret }] } }),
        },
        envoyService: { type: serviceType },
      },
    },
  };
}
