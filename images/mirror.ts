import { canonical, formatReference, parseReference } from "./reference.ts";
import type { ImageReference } from "./reference.ts";

/** How the projects inside one registry are laid out. */
export const LAYOUTS = ["project-per-host", "single-project", "proxy-cache"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** Where mirrored images live: the layout of the projects inside one registry. */
export interface MirrorLayout {
  /** Registry address, `host[:port]`. */
  readonly host: string;
  /**
   * `project-per-host`: `<host>/<upstream host>/<path>`, one Harbor project per upstream registry;
   * `single-project`: `<host>/<project>/<upstream host>/<path>`;
   * `proxy-cache`: `<host>/<proxy project>/<path>`, projects that fetch from their one upstream and take no push.
   * All keep the whole upstream path, so two upstream images never meet at one name.
   */
  readonly layout: Layout;
  /** Project of `single-project`. */
  readonly project?: string | undefined;
  /** Other project names for single upstream hosts (proxy-cache projects), by upstream host. */
  readonly projects: Readonly<Record<string, string>>;
  /**
   * Exceptions, which win over everything else: an upstream repository or image, and where it is instead. Tag and
   * digest of the upstream are kept where the new name has none.
   */
  readonly images?: Readonly<Record<string, string>>;
  /** Upstream prefixes that stay where they are: a host, or host and path (`nvcr.io`, `docker.io/kserve`). */
  readonly exempt: readonly string[];
}

/** The reference under which `upstream` is found in the mirror; itself when exempt or already there. */
export function mirror(upstream: ImageReference, layout: MirrorLayout): ImageReference {
  const moved = exception(upstream, layout.images);
  if (moved !== undefined) return moved;
  if (upstream.host === layout.host || isException(upstream, layout.images)) return upstream;
  if (isExempt(upstream, layout.exempt)) return upstream;
  return {
    ...upstream,
    host: layout.host,
    repository: `${projectPath(upstream.host, layout)}/${upstream.repository}`,
  };
}

/** Harbor project that holds the images of an upstream host. */
export function projectOf(upstreamHost: string, layout: MirrorLayout): string {
  return projectPath(upstreamHost, layout).split("/", 1)[0] ?? "";
}

/** True when a prefix of `exempt` covers the reference; prefixes end at path components. */
export function isExempt(reference: ImageReference, exempt: readonly string[]): boolean {
  const name = repositoryName(reference);
  return exempt.some((prefix) => name === prefix || name.startsWith(`${prefix}/`));
}

/** True when the image comes from the mirror itself, is exempt, or is where an exception says. */
export function isAllowed(
  reference: ImageReference,
  layout: Pick<MirrorLayout, "host" | "exempt" | "images">,
): boolean {
  return (
    reference.host === layout.host ||
    isExempt(reference, layout.exempt) ||
    isException(reference, layout.images)
  );
}

/** Upstream names that would share one mirrored name, by that name; empty when the layout keeps them apart. */
export function collisions(
  upstreams: readonly ImageReference[],
  layout: MirrorLayout,
): ReadonlyMap<string, readonly string[]> {
  return shared(upstreams, (upstream) => [
    formatReference(mirror(upstream, layout)),
    formatReference(upstream),
  ]);
}

/**
 * Upstream repositories whose tags would be spread over several mirrored ones, or renamed, with those names. Charts and
 * controllers name repository and tag apart from each other, so both have to follow from the upstream's own.
 */
export function splits(
  upstreams: readonly ImageReference[],
  layout: MirrorLayout,
): ReadonlyMap<string, readonly string[]> {
  const spread = shared(upstreams, (upstream) => [
    repositoryName(upstream),
    repositoryName(mirror(upstream, layout)),
  ]);
  const renamed = upstreams.flatMap((upstream) => {
    const target = mirror(upstream, layout);
    const same = target.tag === upstream.tag || upstream.tag === undefined;
    return same ? [] : [[repositoryName(upstream), [formatReference(target)]] as const];
  });
  return new Map([...spread, ...renamed]);
}

/** Proxy-cache projects that several upstream hosts would share; each of them has one upstream only. */
export function sharedProxies(
  upstreams: readonly ImageReference[],
  layout: MirrorLayout,
): ReadonlyMap<string, readonly string[]> {
  if (layout.layout !== "proxy-cache") return new Map();
  const moved = upstreams.filter(
    (upstream) =>
      exception(upstream, layout.images) === undefined && !isExempt(upstream, layout.exempt),
  );
  return shared(moved, ({ host }) => [projectOf(host, layout), host]);
}

/** The distinct second halves by their first, where there is more than one. */
function shared(
  upstreams: readonly ImageReference[],
  pair: (upstream: ImageReference) => readonly [string, string],
): ReadonlyMap<string, readonly string[]> {
  const groups = Map.groupBy(upstreams.map(pair), ([key]) => key);
  return new Map(
    [...groups]
      .map(([key, pairs]) => [key, [...new Set(pairs.map(([, name]) => name))]] as const)
      .filter(([, names]) => names.length > 1),
  );
}

function exception(
  upstream: ImageReference,
  images: MirrorLayout["images"] = {},
): ImageReference | undefined {
  const names = [formatReference(upstream), withoutDigest(upstream), repositoryName(upstream)];
  const found = Object.entries(images).find(([key]) => names.includes(canonical(key) ?? ""));
  const target = found === undefined ? undefined : parseReference(found[1]);
  if (target === undefined || target.tag !== undefined || target.digest !== undefined)
    return target;
  return { ...upstream, host: target.host, repository: target.repository };
}

/** True for a repository that an exception points at: what is there was mirrored already. */
function isException(reference: ImageReference, images: MirrorLayout["images"] = {}): boolean {
  return Object.values(images).some((text) => {
    const target = parseReference(text);
    return target !== undefined && repositoryName(target) === repositoryName(reference);
  });
}

function withoutDigest(reference: ImageReference): string {
  const { digest: _digest, ...tagged } = reference;
  return formatReference(tagged);
}

function repositoryName({ host, repository }: ImageReference): string {
  return `${host}/${repository}`;
}

/** A path component takes no colon, so an upstream port is joined by a dash. */
function projectPath(upstreamHost: string, layout: MirrorLayout): string {
  const project = layout.projects[upstreamHost] ?? upstreamHost.toLowerCase().replace(":", "-");
  return layout.layout === "single-project" ? `${layout.project ?? "library"}/${project}` : project;
}
