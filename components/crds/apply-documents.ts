import { setTimeout as sleep } from "node:timers/promises";
import { formatProblem } from "../../problems/problem.ts";
import type { Answer, ClusterApi } from "../cluster-api.ts";
import { refusalOf } from "../cluster-connection.ts";
import type { Document } from "./documents.ts";

/** Milliseconds until every version of a definition has to be served. */
const SERVED_WITHIN = 60_000;
const POLL = 100;
/** Deletions or questions on their way at once. */
const AT_ONCE = 8;
const DEFINITION = "CustomResourceDefinition";

/** What an applied CRD says about where its objects will be served. */
interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/** Runs a piece of work, at once or later, and answers with what came of it. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** One resource of a group and version that has to be served. */
interface Served {
  readonly path: string;
  readonly plural: string;
}

/**
 * Applies objects: creates, adopts or updates each in place, and waits until every version of every definition is
 * served. `inTurn` runs one request when it is its turn. Safe to repeat. Throws one error that names each object the API server refused, and why.
 */
export async function applyDocuments(
  api: ClusterApi,
  documents: readonly Document[],
  inTurn: InTurn,
): Promise<void> {
  const sent = documents.map(async (document) => {
    const answer = await inTurn(() => api.apply(pathOf(document), document.text));
    return { document, answer };
  });
  const applied = await Promise.all(sent);
  const refused = applied.filter(({ answer }) => answer.status >= 300);
  if (refused.length > 0)
    throw new Error(refused.map((item) => refusal(item.document, item.answer)).join("\n"));
  const definitions = applied
    .filter(({ document }) => document.kind === DEFINITION)
    .map(({ answer }) => answer.body as Definition);
  await untilServed(api, definitions);
}

/** Deletes objects, and with definitions everything stored under them. What is gone already is fine. */
export async function deleteDocuments(
  api: ClusterApi,
  documents: readonly Pick<Document, "apiVersion" | "kind" | "name">[],
): Promise<void> {
  const answers = await inBatches(documents, async (document) => ({
    document,
    answer: await api.delete(pathOf(document)),
  }));
  const refused = answers.filter(({ answer }) => answer.status >= 300 && answer.status !== 404);
  if (refused.length > 0)
    throw new Error(refused.map((item) => refusal(item.document, item.answer)).join("\n"));
}

/** Path of a cluster-wide object; kinds in these bundles form their plurals regularly. */
function pathOf({
  apiVersion,
  kind,
  name,
}: Pick<Document, "apiVersion" | "kind" | "name">): string {
  const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
  return `/apis/${apiVersion}/${plural}/${name}`;
}

async function untilServed(api: ClusterApi, definitions: readonly Definition[]): Promise<void> {
  const deadline = Date.now() + SERVED_WITHIN;
  let waiting = definitions.flatMap(servedBy);
  for (;;) {
    waiting = await stillMissing(api, waiting);
    if (waiting.length === 0) return;
    if (Date.now() > deadline) throw new Error(notServed(api, waiting));
    await sleep(POLL);
  }
}

function servedBy({ spec }: Definition): Served[] {
  return spec.versions
    .filter(({ served }) => served)
    .map(({ name }) => ({ path: `/apis/${spec.group}/${name}`, plural: spec.names.plural }));
}

/** Asks each group and version once; the API server lists a resource from the moment it serves it. */
async function stillMissing(api: ClusterApi, waiting: readonly Served[]): Promise<Served[]> {
  const groups = Map.groupBy(waiting, ({ path }) => path);
  const missing = await inBatches([...groups], async ([path, wanted]) => {
    const { body } = await api.get(path);
    const { resources = [] } = body as { resources?: readonly { name: string }[] };
    const names = new Set(resources.map(({ name }) => name));
    return wanted.filter(({ plural }) => !names.has(plural));
  });
  return missing.flat();
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE)
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  return results;
}

function refusal(document: Pick<Document, "kind" | "name">, answer: Answer): string {
  return formatProblem({
    code: "crds-apply-refused",
    level: "block",
    where: `${document.kind} ${document.name}`,
    found: refusalOf(answer),
    allowed: "server-side apply by the identity of the kubeconfig",
    fix: "see what the API server says above; `kubectl auth can-i patch crd` for missing rights; then pulumi up again",
  });
}

function notServed(api: ClusterApi, waiting: readonly Served[]): string {
  return formatProblem({
    code: "crds-not-served",
    level: "block",
    where: api.server,
    found: `after ${String(SERVED_WITHIN / 1000)} s not served: ${waiting.map(({ path, plural }) => `${path}/${plural}`).join(", ")}`,
    allowed: "every version of every definition served",
    fix: "look at the conditions: kubectl get crd <name> -o yaml (names in conflict, a conversion webhook); then pulumi up again",
  });
}
