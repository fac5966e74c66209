import type { ResourceValidationPolicy } from "@pulumi/policy";
import type { Catalog } from "../versions/catalog.ts";
import { allowedRegistries } from "./allowed-registries.ts";
import type { AllowedRegistries } from "./allowed-registries.ts";
import { later } from "./later.ts";

const judgement = later(() => import("./judge-images.ts"));

/**
 * No image from outside the allowed registries, once any is set: by the stack (`kserve:registry`) or by the pack's
 * own configuration. Looks at every string of every resource, JSON and YAML inside ConfigMaps included, and asks for
 * every image that no resource names (inside operators, injected, computed) what moves it. Stands on the catalog and
 * on what the engine sees, never on the plan. The catalog is this repository's unless another is given.
 */
export function createRegistryPolicy(catalog?: Catalog): ResourceValidationPolicy {
  return {
    name: "registry-image-allowed",
    description: "Every image comes from the allowed registry.",
    enforcementLevel: "mandatory",
    configSchema: {
      properties: {
        registries: {
          type: "array",
          items: { type: "string" },
          description: "Allowed registries, host[:port]",
        },
        exempt: {
          type: "array",
          items: { type: "string" },
          description: "Upstream prefixes allowed as they are",
        },
      },
    },
    validateResource: async (args, reportViolation) => {
      const allowed = allowedRegistries(args.getConfig<Partial<AllowedRegistries>>());
      if (allowed.registries.length === 0) args.notApplicable("no registry is set");
      const loading = judgement();
      if (!/^kubernetes(?:-cert-manager)?:/.test(args.type))
        args.notApplicable("no Kubernetes resource");
      const { judgeImages } = await loading;
      judgeImages({
        args,
        allowed,
        reportViolation,
        ...(catalog === undefined ? {} : { catalog }),
      });
    },
  };
}

/** The policy on the catalog of this repository. */
export const registryPolicy = createRegistryPolicy();
