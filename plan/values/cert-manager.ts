import type { Settings } from "../../config/schema.ts";
import type { ImageMap } from "../../images/image-map.ts";
import type { ReleaseOf } from "../../versions/schema.ts";
import type { Values } from "../plan.ts";
import { imageValues } from "./images.ts";
import { mergeValues } from "./merge.ts";

/**
 * Values of the cert-manager chart. CRDs have a path of their own (see components/cert-manager.ts), so the release
 * itself installs none: Helm refuses CRDs that it did not create.
 */
export function certManagerValues(
  release: ReleaseOf<"cert-manager">,
  settings: Settings,
  context: { readonly map: ImageMap; readonly pullSecret: string | undefined },
): Values {
  const { replicas, resources, values } = settings.certManager;
  return mergeValues(
    { crds: { enabled: false } },
    ...release.images.map((image) => imageValues(image, context.map)),
    context.pullSecret === undefined
      ? {}
      : { global: { imagePullSecrets: [{ name: context.pullSecret }] } },
    replicas === undefined ? {} : { replicaCount: replicas },
    resources === undefined ? {} : { resources },
    values,
  );
}
