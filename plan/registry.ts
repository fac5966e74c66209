import type { Settings } from "../config/schema.ts";
import { collisions, mirror, sharedProxies, splits } from "../images/mirror.ts";
import type { MirrorLayout } from "../images/mirror.ts";
import { canonical, formatReference, parseReference } from "../images/reference.ts";
import type { ImageReference } from "../images/reference.ts";
import type { Problem } from "../problems/problem.ts";
import type { ReleaseOf } from "../versions/schema.ts";

/**
 * What is wrong with a mirror's layout for the given upstream images: names that meet, repositories that fall apart,
 * proxies with two upstreams, exceptions that nothing needs.
 */
export function checkLayout(upstreams: readonly string[], layout: MirrorLayout): Problem[] {
  const references = upstreams.flatMap((upstream) => parseReference(upstream) ?? []);
  return [
    ...[...collisions(references, layout)].map(collisionProblem),
    ...[...splits(references, layout)].map(splitProblem),
    ...[...sharedProxies(references, layout)].map(sharedProxyProblem),
    ...unusedExceptions(references, layout),
  ];
}

function collisionProblem([target, names]: readonly [string, readonly string[]]): Problem {
  return {
    code: "images-mirror-collision",
    level: "block",
    where: "kserve:registry",
    found: `${names.join(" and ")} would both be ${target}`,
    allowed: "one upstream image per mirrored name",
    fix: "give the upstream hosts different names in kserve:registry.projects, or the images in kserve:registry.images",
  };
}

function splitProblem([repository, names]: readonly [string, readonly string[]]): Problem {
  return {
    code: "images-mirror-split",
    level: "block",
    where: "kserve:registry.images",
    found: `images of ${repository} would be ${names.join(" and ")}`,
    allowed:
      "one mirrored repository per upstream repository, under upstream's tags: charts and controllers join them",
    fix: `name the repository without a tag, on both sides: ${repository}`,
  };
}

function sharedProxyProblem([project, hosts]: readonly [string, readonly string[]]): Problem {
  return {
    code: "images-proxy-shared",
    level: "block",
    where: "kserve:registry.projects",
    found: `the proxy-cache project ${project} for ${hosts.join(" and ")}`,
    allowed: "one proxy-cache project per upstream host: each fetches from one upstream only",
    source: "goharbor/website@main:docs/administration/configure-proxy-cache/_index.md",
    fix: "give each host a project of its own in kserve:registry.projects",
  };
}

/** An exception for an image that the stack does not have is most often one that is misspelt. */
function unusedExceptions(upstreams: readonly ImageReference[], layout: MirrorLayout): Problem[] {
  const names = new Set(upstreams.flatMap(spellings));
  return Object.keys(layout.images ?? {})
    .filter((key) => !names.has(canonical(key) ?? ""))
    .map((key) => ({
      code: "images-exception-unused",
      level: "warn" as const,
      where: "kserve:registry.images",
      found: `${key}, which is no image of this stack`,
      allowed: "upstream images as `platform images` lists them, with tag or without",
      fix: `correct or remove kserve:registry.images[${JSON.stringify(key)}]`,
    }));
}

function spellings(reference: ImageReference): string[] {
  const { digest: _digest, ...tagged } = reference;
  const { tag: _tag, ...bare } = tagged;
  return [reference, tagged, bare].map(formatReference);
}

/**
 * Istio takes one hub for all its images; sidecars and gateways are joined from it when their pods are made, where no
 * rewriting reaches. So no image of Istio can go elsewhere than the others.
 */
export function checkIstioHub(release: ReleaseOf<"istio">, layout: MirrorLayout): Problem[] {
  const prefix = `${release.hub.value}/`;
  const hubs = release.images.flatMap(({ image }) => {
    const reference = parseReference(image);
    if (reference === undefined || !image.startsWith(prefix)) return [];
    const name = image.slice(prefix.length);
    const target = formatReference(mirror(reference, layout));
    return [target.endsWith(`/${name}`) ? target.slice(0, -name.length - 1) : target];
  });
  const different = [...new Set(hubs)];
  if (different.length <= 1) return [];
  return [
    {
      code: "images-istio-hub",
      level: "block",
      where: "kserve:registry",
      found: `images of Istio in ${different.join(" and ")}`,
      allowed: "one place for all images of Istio, under their own names",
      fix: "let kserve:registry.images and kserve:registry.exempt treat them all alike",
    },
  ];
}

/**
 * The container runtime of the nodes pulls every image, and nothing in Kubernetes sets whom it trusts: all that can be
 * done here is to say so, until the stack file says that it is done.
 */
export function checkNodes(registry: Settings["registry"]): Problem[] {
  if (registry === undefined || registry.nodesPrepared) return [];
  if (registry.ca === undefined && !registry.plainHttp) return [];
  const { host } = registry;
  return [
    {
      code: "registry-node-trust",
      level: "warn",
      where: "kserve:registry",
      found: `${host} ${registry.plainHttp ? "speaks plain http" : "has a private CA"}, which the container runtime of every node has to be told`,
      allowed: "nodes that can pull from it; no object of Kubernetes can set that",
      source: "containerd/containerd@v2.2.0:docs/hosts.md",
      fix: `put /etc/containerd/certs.d/${host}/hosts.toml on every node (docs/airgap-registry.md), then set kserve:registry.nodesPrepared to true`,
    },
  ];
}

/** Certificates for the storage initializer that the release has no place for. */
export function checkStorageCa(release: ReleaseOf<"kserve">, settings: Settings): Problem[] {
  const { storageCa } = settings.kserve;
  const known = release.values.keys["storageInitializerCaBundleConfigMap"] !== undefined;
  if (storageCa === undefined || storageCa === "none" || known) return [];
  return [
    {
      code: "config-storage-ca-unsupported",
      level: "block",
      where: "kserve:kserve.storageCa",
      found: `KServe ${release.version}, whose storage initializer takes no certificates`,
      allowed: "KServe 0.12 or newer",
      source: "kserve/kserve@v0.12.1:charts/kserve-resources/values.yaml",
      fix: "remove kserve:kserve.storageCa, or change kserve:kserve.version",
    },
  ];
}
