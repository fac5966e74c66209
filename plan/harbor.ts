import { parseReference } from "../images/reference.ts";
import type { Problem } from "../problems/problem.ts";
import type { Plan } from "./plan.ts";

/** A project that the registry needs. */
export interface HarborProject {
  readonly name: string;
  /** Upstream host that a proxy-cache project fetches from; absent for projects that are pushed to. */
  readonly proxyOf?: string;
}

/** What a stack needs of Harbor. */
export interface HarborPlan {
  /** Address without a trailing slash; `/api/v2.0` follows. */
  readonly url: string;
  readonly projects: readonly HarborProject[];
  readonly public: boolean;
  readonly robot: { readonly name: string; readonly days: number };
  /** Private CA of Harbor, PEM text. */
  readonly ca?: string;
}

/** What a stack needs of Harbor, or why there is nothing to do. Projects by name, in alphabetical order. */
export function planHarbor(plan: Plan): HarborPlan | Problem {
  const { harbor, registry } = plan.settings;
  if (harbor === undefined || registry === undefined)
    return {
      code: "harbor-off",
      level: "block",
      where: harbor === undefined ? "kserve:harbor" : "kserve:registry",
      found: "nothing",
      allowed: "a registry (kserve:registry), and kserve:harbor to let this command set it up",
      fix: "add both; kserve:harbor: {} takes every default",
    };
  const scheme = registry.plainHttp ? "http" : "https";
  return {
    url: (harbor.url ?? `${scheme}://${registry.host}`).replace(/\/+$/, ""),
    projects: [...imageProjects(plan), ...chartProjects(plan)]
      .filter(({ name }, index, all) => all.findIndex((other) => other.name === name) === index)
      .sort((one, two) => (one.name < two.name ? -1 : 1)),
    public: harbor.public,
    robot: harbor.robot,
    ...(registry.ca === undefined ? {} : { ca: registry.ca }),
  };
}

/** The first part of every mirrored path in the registry is a project. */
function imageProjects({ images, mirror, settings }: Plan): HarborProject[] {
  const exceptions = Object.values(settings.registry?.images ?? {});
  return images.flatMap(({ image, upstream }) => {
    const [target, source] = [parseReference(image), parseReference(upstream)];
    if (mirror === undefined || target === undefined || source === undefined) return [];
    if (target.host !== mirror.host || source.host === mirror.host) return [];
    const name = target.repository.split("/", 1)[0] ?? "";
    const moved = exceptions.some((place) => image.startsWith(place));
    const isProxy = mirror.layout === "proxy-cache" && !moved;
    return [{ name, ...(isProxy ? { proxyOf: source.host } : {}) }];
  });
}

/** Charts in the same registry are pushed, so their project is never a proxy. */
function chartProjects({ settings }: Plan): HarborProject[] {
  const { charts, registry } = settings;
  if (charts.source !== "oci") return [];
  const [host, name] = charts.url.replace("oci://", "").split("/", 2);
  return host === registry?.host && name !== undefined ? [{ name }] : [];
}
