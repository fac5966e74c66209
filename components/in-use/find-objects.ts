import { formatProblem } from "../../problems/problem.ts";
import type { Answer, ClusterApi } from "../cluster-api.ts";
import { refusalOf } from "../cluster-connection.ts";
import { GATEWAYS, groupOf, judge } from "./kinds.ts";
import type { ClusterObject, Guarded } from "./kinds.ts";

type Reader = Pick<ClusterApi, "get">;

/** Objects in one answer; more come in further ones. */
const PAGE = 500;
/** Questions on their way at once. */
const AT_ONCE = 8;

/** Where the API server keeps a kind. */
interface Place {
  /** `plural.group`. */
  readonly definition: string;
  readonly kind: string;
  /** `/apis/group/version`. */
  readonly path: string;
  readonly plural: string;
}

/** An object that somebody else has made. */
export interface Found {
  readonly definition: string;
  /** `Kind namespace/name`. */
  readonly title: string;
  /** Where the API server keeps it. */
  readonly path: string;
  readonly finalizers: readonly string[];
  /** `Kind name` of what owns it; absent for most. */
  readonly owner?: string;
}

/** What others have made of the guarded kinds. */
export interface InUse {
  /** Objects that do not work, or never go away, without what is about to go. */
  readonly needs: readonly Found[];
  /** Objects that stay as they are, with nobody acting on them. */
  readonly stays: readonly Found[];
}

interface Listed {
  readonly place: Place;
  readonly object: ClusterObject;
}

/** Looks for objects of the guarded kinds that this program has not placed. Throws a report where it must not look. */
export async function findInUse(api: Reader, guarded: Guarded): Promise<InUse> {
  const places = await placesOf(api, guarded.kinds);
  const lists = await inBatches(places, (place) => list(api, place));
  const placed = new Set(guarded.placed);
  const others = lists.flat().filter((listed) => !isPlaced(listed, placed));
  const attached = others.filter(
    ({ place, object }) => judgeListed({ place, object }, guarded) === "needs",
  );
  const gateways = [
    ...guarded.gateways,
    ...attached
      .filter(({ place }) => place.definition === GATEWAYS)
      .map(({ object }) => nameOf(object)),
  ];
  const judged = others.map((listed) => ({
    listed,
    verdict: judgeListed(listed, guarded, gateways),
  }));
  const of = (wanted: string): Found[] =>
    judged.filter(({ verdict }) => verdict === wanted).map(({ listed }) => describe(listed));
  return { needs: of("needs"), stays: of("stays") };
}

function judgeListed(
  { place, object }: Listed,
  guarded: Guarded,
  gateways?: readonly string[],
): ReturnType<typeof judge> {
  return judge(place.definition, object, guarded, gateways);
}

/** A chart may leave the namespace of an object to the provider. */
function isPlaced({ place, object }: Listed, placed: ReadonlySet<string>): boolean {
  const kind = `${place.kind}.${groupOf(place.definition)}`;
  return placed.has(`${kind} ${nameOf(object)}`) || placed.has(`${kind} /${object.metadata.name}`);
}

function nameOf({ metadata }: ClusterObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function describe({ place, object }: Listed): Found {
  const { name, namespace, finalizers = [], ownerReferences = [] } = object.metadata;
  const [owner] = ownerReferences;
  const within = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return {
    definition: place.definition,
    title: `${place.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`,
    path: `${place.path}${within}/${place.plural}/${name}`,
    finalizers,
    ...(owner === undefined ? {} : { owner: `${owner.kind} ${owner.name}` }),
  };
}

/** Where each kind is served; kinds that are not have no objects. */
async function placesOf(api: Reader, kinds: readonly string[]): Promise<Place[]> {
  const groups = Map.groupBy(kinds, groupOf);
  const places = await inBatches([...groups], async ([group, definitions]) => {
    const versions = await versionsOf(api, group);
    const known = new Map<string, Place>();
    for (const version of versions)
      for (const place of await resourcesOf(api, group, version))
        if (!known.has(place.definition)) known.set(place.definition, place);
    return definitions.flatMap((definition) => known.get(definition) ?? []);
  });
  return places.flat();
}

/** Versions of a group, the preferred one first. */
async function versionsOf(api: Reader, group: string): Promise<string[]> {
  const path = `/apis/${group}`;
  const answer = await api.get(path);
  if (answer.status === 404) return [];
  const { preferredVersion, versions = [] } = read<{
    readonly preferredVersion?: { readonly version: string };
    readonly versions?: readonly { readonly version: string }[];
  }>(path, answer);
  const names = versions.map(({ version }) => version);
  return [
    ...new Set([...(preferredVersion === undefined ? [] : [preferredVersion.version]), ...names]),
  ];
}

async function resourcesOf(api: Reader, group: string, version: string): Promise<Place[]> {
  const path = `/apis/${group}/${version}`;
  const { resources = [] } = read<{
    readonly resources?: readonly { readonly name: string; readonly kind: string }[];
  }>(path, await api.get(path));
  return resources
    .filter(({ name }) => !name.includes("/"))
    .map(({ name, kind }) => ({ definition: `${name}.${group}`, kind, path, plural: name }));
}

async function list(api: Reader, place: Place): Promise<Listed[]> {
  const found: Listed[] = [];
  let next = "";
  do {
    const path = `${place.path}/${place.plural}?limit=${String(PAGE)}${next}`;
    const answer = await api.get(path);
    // Its definition may have gone since it was asked for.
    if (answer.status === 404) return found;
    const { items = [], metadata } = read<{
      readonly items?: readonly ClusterObject[];
      readonly metadata?: { readonly continue?: string };
    }>(path, answer);
    found.push(...items.map((object) => ({ place, object })));
    const token = metadata?.continue ?? "";
    next = token === "" ? "" : `&continue=${encodeURIComponent(token)}`;
  } while (next !== "");
  return found;
}

function read<T>(path: string, answer: Answer): T {
  if (answer.status >= 300) throw new Error(unseen(path, answer));
  return answer.body as T;
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE)
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  return results;
}

function unseen(path: string, answer: Answer): string {
  return formatProblem({
    code: "destroy-use-not-seen",
    level: "block",
    where: path,
    found: refusalOf(answer),
    allowed:
      "reading by the identity of the kubeconfig, so that nobody's services are taken away unseen",
    fix: "give it the right to list that kind in all namespaces, then run the same command again",
  });
}
