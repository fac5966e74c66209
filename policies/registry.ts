import type { ResourceValidationPolicy } from "@pulumi/policy";
import { Config } from "@pulumi/pulumi";
import { isAllowed } from "../images/mirror.ts";
import { formatReference, parseReference } from "../images/reference.ts";
import type { ImageReference } from "../images/reference.ts";
import { findImages } from "../images/scan.ts";
import { loadCatalog } from "../versions/catalog.ts";
import { knownValues } from "./known-values.ts";

interface Allowed {
  readonly registries: readonly string[];
  /** Upstream prefixes that may stay where they are. */
  readonly exempt: readonly string[];
}

const HELM_RELEASE = "kubernetes:helm.sh/v3:Release";
const catalog = loadCatalog();
/** Repositories of the catalog, to recognise short names (`kserve/agent:v0.16.0`) inside longer texts. */
const repositories = new Set(
  catalog
    .releases()
    .flatMap((release) => release.images.flatMap((image) => repositoryOf(image.image) ?? [])),
);
/** Chart values that name cert-manager's images; its release is opaque, so each of them has to be set. */
const certManagerRepositories = (): string[] => {
  const [newest = ""] = catalog.versions("cert-manager");
  return catalog
    .get("cert-manager", newest)
    .images.flatMap((image) => image.values?.repository ?? []);
};

/**
 * No image from outside the allowed registries, once any is set: by the stack (`kserve:registry`) or by the pack's
 * own configuration. Looks at every string of every resource, JSON and YAML inside ConfigMaps included.
 */
export const registryPolicy: ResourceValidationPolicy = {
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
  validateResource: (args, reportViolation) => {
    const allowed = allowedRegistries(args.getConfig<Partial<Allowed>>());
    if (allowed.registries.length === 0) args.notApplicable("no registry is set");
    if (!/^kubernetes(?:-cert-manager)?:/.test(args.type))
      args.notApplicable("no Kubernetes resource");
    const props = knownValues(args.props);
    for (const found of findImages(props, isCatalogImage)) {
      if (!passes(found.reference, allowed))
        reportViolation(outside(args, `${found.path} = ${found.text}`, allowed));
    }
    if (args.type === HELM_RELEASE) {
      for (const path of missingRepositories(props)) {
        reportViolation(
          outside(args, `values.${path} is not set, so the chart's own image is used`, allowed),
        );
      }
    }
  },
};

function allowedRegistries(config: Partial<Allowed>): Allowed {
  const stack = new Config("kserve").getObject<{ host?: string; exempt?: string[] }>("registry");
  const host = stack?.host;
  return {
    registries: [...(config.registries ?? []), ...(host === undefined ? [] : [host])],
    exempt: [...(config.exempt ?? []), ...(stack?.exempt ?? [])],
  };
}

function passes(reference: ImageReference, allowed: Allowed): boolean {
  return allowed.registries.some((host) => isAllowed(reference, { host, exempt: allowed.exempt }));
}

function outside(
  args: { readonly name: string; readonly type: string },
  what: string,
  allowed: Allowed,
): string {
  return [
    `[registry-image-allowed] ${args.type} ${args.name}`,
    `  found:   ${what}`,
    `  allowed: images from ${allowed.registries.join(", ")}${allowed.exempt.length === 0 ? "" : `, and ${allowed.exempt.join(", ")}`}`,
    "  source:  kserve:registry of the stack, or the configuration of the policy pack",
    "  to do:   let the mirror name it (npx platform images), or exempt its prefix in kserve:registry.exempt",
  ].join("\n");
}

function isCatalogImage(text: string): boolean {
  const reference = parseReference(text);
  if (reference === undefined || (reference.tag === undefined && reference.digest === undefined))
    return false;
  return repositories.has(`${reference.host}/${reference.repository}`);
}

function repositoryOf(image: string): string | undefined {
  const reference = parseReference(image);
  return reference === undefined
    ? undefined
    : formatReference({ host: reference.host, repository: reference.repository });
}

function missingRepositories(props: unknown): string[] {
  const { chart, values } = props as { chart?: unknown; values?: unknown };
  if (typeof chart !== "string" || !/(?:^|\/)cert-manager(?:-\d|$)/.test(chart)) return [];
  return certManagerRepositories().filter((path) => at(values, path) === undefined);
}

function at(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}
