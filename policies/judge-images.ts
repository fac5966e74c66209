import type { ReportViolation, ResourceValidationArgs } from "@pulumi/policy";
import { isAllowed } from "../images/mirror.ts";
import { formatReference, parseReference } from "../images/reference.ts";
import type { ImageReference } from "../images/reference.ts";
import { findImages } from "../images/scan.ts";
import type { FoundImage } from "../images/scan.ts";
import { loadCatalog } from "../versions/catalog.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { AllowedRegistries } from "./allowed-registries.ts";
import { knownValues } from "./known-values.ts";
import { uncoveredImages } from "./unseen/index.ts";
import type { Uncovered, Unseen } from "./unseen/uncovered.ts";

/** Where a policy reports. */
type Args = Pick<ResourceValidationArgs, "name" | "type">;

/** A Kubernetes resource of a stack that names registries. */
export interface ImageJudgement {
  readonly args: ResourceValidationArgs;
  readonly allowed: AllowedRegistries;
  readonly reportViolation: ReportViolation;
  /** The releases whose images are known; this repository's, unless told otherwise. */
  readonly catalog?: Catalog;
}

/** Reports every image that the resource names, or makes run, from elsewhere. */
export function judgeImages(judgement: ImageJudgement): void {
  const { args, allowed, reportViolation, catalog = loadCatalog() } = judgement;
  const props = knownValues(args.props);
  for (const found of findImages(props, shortNames(catalog))) {
    if (!passes(found.reference, allowed)) reportViolation(outside(args, found, allowed));
  }
  for (const found of uncoveredImages(args.type, props, unseenBy(catalog, allowed)))
    reportViolation(unmoved(args, found, allowed));
}

function unseenBy(catalog: Catalog, allowed: AllowedRegistries): Unseen {
  return {
    catalog,
    passes: (image) => {
      const reference = parseReference(image);
      return reference !== undefined && passes(reference, allowed);
    },
    ...(allowed.layout === undefined ? {} : { layout: allowed.layout }),
  };
}

function passes(
  reference: ImageReference,
  { registries, exempt, images }: AllowedRegistries,
): boolean {
  return registries.some((host) => isAllowed(reference, { host, exempt, images }));
}

function outside(args: Args, { path, text }: FoundImage, allowed: AllowedRegistries): string {
  const fix =
    "let the mirror name it (npx platform images), or exempt its prefix in kserve:registry.exempt";
  return violation(args, `${path} = ${text}`, fix, allowed);
}

function unmoved(args: Args, { image, key, what }: Uncovered, allowed: AllowedRegistries): string {
  const fix = `let ${key} move it to the registry, or exempt its prefix in kserve:registry.exempt`;
  return violation(args, `${image}, which no resource names: ${key} ${what}`, fix, allowed);
}

function violation(args: Args, found: string, fix: string, allowed: AllowedRegistries): string {
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
  const repositories = repositoriesOf(catalog);
  return (text) => {
    const reference = parseReference(text);
    if (reference === undefined || (reference.tag === undefined && reference.digest === undefined))
      return false;
    return repositories.has(`${reference.host}/${reference.repository}`);
  };
}

const known = new WeakMap<Catalog, ReadonlySet<string>>();

/** Noted per catalog: the pack asks for every resource of a stack. */
function repositoriesOf(catalog: Catalog): ReadonlySet<string> {
  const noted = known.get(catalog);
  if (noted !== undefined) return noted;
  const images = catalog.releases().flatMap((release) => release.images);
  const repositories = new Set(images.flatMap(({ image }) => repositoryOf(image) ?? []));
  known.set(catalog, repositories);
  return repositories;
}

function repositoryOf(image: string): string | undefined {
  const reference = parseReference(image);
  return reference === undefined
    ? undefined
    : formatReference({ host: reference.host, repository: reference.repository });
}
