import type { Settings } from "../../config/schema.ts";
import type { ImageMap } from "../../images/image-map.ts";
import type { ReleaseOf } from "../../versions/schema.ts";
import type { Values } from "../plan.ts";
import { mergeValues } from "./merge.ts";

/** What both Istio charts share: the namespace, and a webhook policy that istiod does not have to correct. */
function common(release: ReleaseOf<"istio">, settings: Settings): Values {
  return {
    global: { istioNamespace: settings.namespaces.istio },
    ...(release.validationFailurePolicy.supported
      ? { base: { validationFailurePolicy: "Fail" } }
      : {}),
  };
}

/** Values of the chart `base`. */
export function istioBaseValues(release: ReleaseOf<"istio">, settings: Settings): Values {
  return mergeValues(common(release, settings), { defaultRevision: "default" });
}

/**
 * Values of the chart `istiod`. Hub and tag are always set: chart defaults name registries that close, and the hub
 * is what injected sidecars and Gateway API gateways are pulled from.
 */
export function istiodValues(
  release: ReleaseOf<"istio">,
  settings: Settings,
  context: { readonly map: ImageMap; readonly pullSecret: string | undefined },
): Values {
  const { replicas, resources, values } = settings.istio;
  return mergeValues(
    common(release, settings),
    { global: { hub: istioHub(release, context.map), tag: release.hub.tag } },
    context.pullSecret === undefined ? {} : { global: { imagePullSecrets: [context.pullSecret] } },
    replicas === undefined ? {} : { pilot: { autoscaleMin: replicas } },
    resources === undefined ? {} : { pilot: { resources } },
    values,
  );
}

/** The mirrored counterpart of `docker.io/istio`: what stands before `/pilot:<tag>` in the mirrored name. */
export function istioHub(release: ReleaseOf<"istio">, map: ImageMap): string {
  const pilot = map.target(`${release.hub.value}/pilot:${release.hub.tag}`);
  return pilot.slice(0, pilot.lastIndexOf("/pilot:"));
}
