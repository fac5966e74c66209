/** Everything that a cluster holds, whatever its kind. */
import { apiClient, readKeys } from "../../sandbox/cluster/api.ts";
import type { ApiClient } from "../../sandbox/cluster/api.ts";
import { realLayout } from "../../sandbox/real/layout.ts";
import type { Session } from "../../sandbox/session/session.ts";

/** Kinds that come and go by themselves. */
const PASSING = /^(?:events|leases|endpoints|endpointslices|controllerrevisions|nodes)$/;

/** An object, in the words of a reader. */
export interface ClusterObject {
  /** `resource.group`. */
  readonly resource: string;
  /** `namespace/name`, or the name alone. */
  readonly name: string;
  /** True while something keeps it from going. */
  readonly going: boolean;
}

interface Groups {
  readonly groups: readonly {
    readonly name: string;
    readonly preferredVersion: { readonly version: string };
    readonly versions: readonly { readonly version: string }[];
  }[];
}

interface Resources {
  readonly resources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

interface List {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly namespace?: string;
      readonly deletionTimestamp?: string;
    };
  }[];
}

/** Lists every object of every kind that can be listed, in one order. */
export async function listEverything({ name, cluster }: Session): Promise<ClusterObject[]> {
  const api = apiClient(cluster.server, await readKeys(realLayout(name).folder));
  try {
    const { groups } = await read<Groups>(api, "/apis");
    const found = await resourcesAt(api, "/api/v1", "");
    for (const group of groups)
      for (const { version } of group.versions)
        found.push(...(await resourcesAt(api, `/apis/${group.name}/${version}`, group.name)));
    const unique = new Map(found.map((place) => [place.resource, place.path]));
    const lists: ClusterObject[] = [];
    for (const [resource, path] of unique) lists.push(...(await objectsAt(api, resource, path)));
    return lists.sort((one, two) => (titleOf(one) < titleOf(two) ? -1 : 1));
  } finally {
    api.close();
  }
}

/** One line for an object. */
export function titleOf({ resource, name }: ClusterObject): string {
  return `${resource} ${name}`;
}

async function resourcesAt(api: ApiClient, path: string, group: string) {
  const { resources } = await read<Resources>(api, path);
  return resources
    .filter(({ name, verbs }) => verbs.includes("list") && !PASSING.test(name))
    .map(({ name }) => ({
      resource: group === "" ? name : `${name}.${group}`,
      path: `${path}/${name}`,
    }));
}

async function objectsAt(api: ApiClient, resource: string, path: string): Promise<ClusterObject[]> {
  const { items } = await read<List>(api, path);
  return items.map(({ metadata: { name, namespace, deletionTimestamp } }) => ({
    resource,
    name: namespace === undefined ? name : `${namespace}/${name}`,
    going: deletionTimestamp !== undefined,
  }));
}

async function read<T>(api: ApiClient, path: string): Promise<T> {
  const { status, body } = await api.get(path);
  if (status !== 200) throw new Error(`GET ${path}: ${String(status)} ${body}`);
  return JSON.parse(body) as T;
}
