import type {
  ResourceValidation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
} from "@pulumi/policy";
import { Config } from "@pulumi/pulumi";
import { isAllowed } from "../images/mirror.ts";
import type { MirrorLayout } from "../images/mirror.ts";
import { formatReference, parseReference } from "../images/reference.ts";
import type { ImageReference } from "../images/reference.ts";
import { findImages } from "../images/scan.ts";
import type { FoundImage } from "../images/scan.ts";
import { loadCatalog } from "../versions/catalog.ts";
import type { Catalog } from "../versions/catalog.ts";
import { knownValues } from "./known-values.ts";
import { uncoveredImages } from "./unseen/index.ts";
import type { Uncovered, Unseen } from "./unseen/uncovered.ts";

interface Allowed {
  readonly registries: readonly string[];
  /** Upstream prefixes that may stay where they are. */
  readonly exempt: readonly string[];
  /** Where single images are by exception. */
  readonly images: Readonly<Record<string, string>>;
  /** Layout of the stack's registry; absent when only the pack's configuration names registries. */
  readonly layout?: MirrorLayout;
}

/** Where a policy reports. */
type Args = Pick<ResourceValidationArgs, "name" | "type">;

/**
 * No image from outside the allowed registries, once any is set: by the stack (`kserve:registry`) or by the pack's
 * own configuration. Looks at every string of every resource, JSON and YAML inside ConfigMaps included, and asks for
 * every image that no resource names (inside operators, injected, computed) what moves it. Stands on the catalog and
 * on what the engine sees, never on the plan.
 */
export function createRegistryPolicy(catalog: Catalog): ResourceValidationPolicy {
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
    validateResource: validate(catalog),
  };
}

/** The policy on the catalog of this repository. */
export const registryPolicy = createRegistryPolicy(loadCatalog());

function validate(catalog: Catalog): ResourceValidation {
  const isCatalogImage = shortNames(catalog);
  return (args, reportViolation) => {
    const allowed = allowedRegistries(args.getConfig<Partial<Allowed>>());
    if (allowed.registries.length === 0) args.notApplicable("no registry is set");
    if (!/^kubernetes(?:-cert-manager)?:/.test(args.type))
      args.notApplicable("no Kubernetes resource");
    const props = knownValues(args.props);
    for (const found of findImages(props, isCatalogImage)) {
      if (!passes(found.reference, allowed)) reportViolation(outside(args, found, allowed));
    }
    for (const found of uncoveredImages(args.type, props, unseenBy(catalog, allowed)))
      reportViolation(unmoved(args, found, allowed));
  };
}

function unseenBy(catalog: Catalog, allowed: Allowed): Unseen {
  return {
    catalog,
    passes: (image) => {
      const reference = parseReference(image);
      return reference !== undefined && passes(reference, allowed);
    },
    ...(allowed.layout === undefined ? {} : { layout: allowed.layout }),
  };
}

function allowedRegistries(config: Partial<Allowed>): Allowed {
  const stack = new Config("kserve").getObject<Partial<MirrorLayout>>("registry");
  const { host, images = {}, exempt = [] } = stack ?? {};
  const layout: MirrorLayout | undefined =
    host === undefined
      ? undefined
      : { layout: "project-per-host", projects: {}, ...stack, host, images, exempt };
  return {
    registries: [...(config.registries ?? []), ...(host === undefined ? [] : [host])],
    exempt: [...(config.exempt ?? []), ...exempt],
    images,
    ...(layout === undefined ? {} : { layout }),
  };
}

function passes(reference: ImageReference, { registries, exempt, images }: Allowed): boolean {
  return registries.some((host) => isAllowed(reference, { host, exempt, images }));
}

function outside(args: Args, { path, text }: FoundImage, allowed: Allowed): string {
  const fix =
    "let the mirror name it (npx platform images), or exempt its prefix in kserve:registry.exempt";
  return violation(args, `${path} = ${text}`, fix, allowed);
}

function unmoved(args: Args, { image, key, what }: Uncovered, allowed: Allowed): string {
  const fix = `let ${key} move it to the registry, or exempt its prefix in kserve:registry.exempt`;
  return violation(args, `${image}, which no resource names: ${key} ${what}`, fix, allowed);
}

function violation(args: Args, found: string, fix: string, allowed: Allowed): string {
  const others = [...allowed.exempt, ...Object.values(allowed.images)];
  return [
    `[registry-image-allowed] ${args.type} ${args.name}`,
    `  found:   ${found}`,
    `  allowed: images from ${allowed.registries.join(", ")}${others.length === 0 ? "" : `, and ${others.join(", ")}`}`,
    "  source:  kserve:registry of the stack, or the configuration of the policy pack",
    `  to do:   ${fix}`,
  ].join("\n");
}

/** Recognises short names (`kserve/agent:v0.16.0`) inside longer texts by the repositories of the catalog. */
function shortNames(catalog: Catalog): (text: string) => boolean {
  const repositories = new Set(
    catalog
      .releases()
      .flatMap((release) => release.images.flatMap((image) => repositoryOf(image.image) ?? [])),
  );
  return (text) => {
    const reference = parseReference(text);
    if (reference === undefined || (reference.tag === undefined && reference.digest === undefined))
      return false;
    return repositories.has(`${reference.host}/${reference.repository}`);
  };
}

function repositoryOf(image: string): string | undefined {
  const reference = parseReference(image);
  return reference === undefined
    ? undefined
    : formatReference({ host: reference.host, repository: reference.repository });
}
