import { formatReference } from "./reference.ts";
import type { ImageReference } from "./reference.ts";

/** Where mirrored images live: the layout of the projects inside one registry. */
export interface MirrorLayout {
  /** Registry address, `host[:port]`. */
  readonly host: string;
  /**
   * `project-per-host`: `<host>/<upstream host>/<path>`, one Harbor project per upstream registry;
   * `single-project`: `<host>/<project>/<upstream host>/<path>`.
   * Both keep the whole upstream path, so two upstream images never meet at one name.
   */
  readonly layout: "project-per-host" | "single-project";
  /** Project of `single-project`. */
  readonly project?: string | undefined;
  /** Other project names for single upstream hosts (proxy-cache projects), by upstream host. */
  readonly projects: Readonly<Record<string, string>>;
  /** Upstream prefixes that stay where they are: a host, or host and path (`nvcr.io`, `docker.io/kserve`). */
  readonly exempt: readonly string[];
}

/** The reference under which `upstream` is found in the mirror; itself when exempt or already there. */
export function mirror(upstream: ImageReference, layout: MirrorLayout): ImageReference {
  if (upstream.host === layout.host || isExempt(upstream, layout.exempt)) return upstream;
  return {
    ...upstream,
    host: layout.host,
    repository: `${projectPath(upstream.host, layout)}/${upstream.repository}`,
  };
}

/** True when a prefix of `exempt` covers the reference; prefixes end at path components. */
export function isExempt(reference: ImageReference, exempt: readonly string[]): boolean {
  const name = `${reference.host}/${reference.repository}`;
  return exempt.some((prefix) => name === prefix || name.startsWith(`${prefix}/`));
}

/** True when the image comes from the mirror itself or is exempt. */
export function isAllowed(
  reference: ImageReference,
  layout: Pick<MirrorLayout, "host" | "exempt">,
): boolean {
  return reference.host === layout.host || isExempt(reference, layout.exempt);
}

/** Upstream names that would share one mirrored name, by that name; empty when the layout keeps them apart. */
export function collisions(
  upstreams: readonly ImageReference[],
  layout: MirrorLayout,
): ReadonlyMap<string, readonly string[]> {
  const byTarget = new Map<string, Set<string>>();
  for (const upstream of upstreams) {
    const target = formatReference(mirror(upstream, layout));
    byTarget.set(target, (byTarget.get(target) ?? new Set()).add(formatReference(upstream)));
  }
  return new Map(
    [...byTarget]
      .filter(([, names]) => names.size > 1)
      .map(([target, names]) => [target, [...names]]),
  );
}

/** A path component takes no colon, so an upstream port is joined by a dash. */
function projectPath(upstreamHost: string, layout: MirrorLayout): string {
  const project = layout.projects[upstreamHost] ?? upstreamHost.toLowerCase().replace(":", "-");
  return layout.layout === "single-project" ? `${layout.project ?? "library"}/${project}` : project;
}
