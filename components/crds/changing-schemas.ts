import * as pulumi from "@pulumi/pulumi";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterApi } from "../cluster-api.ts";
import type { ClusterConnection } from "../cluster-connection.ts";
import { isCustomResource } from "../transforms.ts";
import type { RenderedObject } from "../transforms.ts";
import type { BundleRecord } from "./crd-installer.ts";

/** Milliseconds for the cluster to answer; a preview does not wait longer for what only makes it better. */
const WITHIN = 10_000;

/**
 * An annotation that only a preview sees. Its value is unknown, and the provider does not show an object with an
 * unknown in it to the API server (pulumi/pulumi-kubernetes@v4.32.0:provider/pkg/provider/provider.go, hasComputedValue).
 */
const MARK = "kserve-platform/previewed-without-schema";

/** Where the record of a bundle is kept. */
export interface RecordPlace {
  readonly name: string;
  readonly namespace: string;
}

/** What the cluster holds of a bundle: its record, nothing (`undefined`), or nobody could say. */
type Held = Pick<BundleRecord, "from" | "sha256" | "objects"> | undefined | "unseen";

/** A bundle of this run beside the one that is on the cluster. */
interface Comparison {
  readonly record: BundleRecord;
  readonly held: Held;
  /** API groups whose definitions this run changes. */
  readonly groups: readonly string[];
}

/**
 * Which definitions a preview must not judge by. The provider previews an object as a server-side dry run against the
 * definition that is on the cluster, but `pulumi up` sends it to the one that this run applies first: a field that only
 * the new one knows would end the preview. So each record is held against the one on the cluster, and objects of a
 * group whose definitions change are previewed without asking the API server.
 */
export class ChangingSchemas {
  readonly #open: () => Promise<Pick<ClusterApi, "get">>;
  readonly #held = new Map<string, Promise<Held>>();
  readonly #comparisons: Promise<Comparison>[] = [];
  readonly #spared = new Map<string, number>();

  constructor(connection: Pick<ClusterConnection, "open">) {
    this.#open = () => connection.open();
  }

  /** Starts to read the record of a bundle, so that the answer is there when its definitions are known. */
  expect(place: RecordPlace): void {
    this.#held.set(place.name, this.#read(place));
  }

  /** Holds what this run brings against what the cluster has. */
  compare(place: RecordPlace, record: BundleRecord): void {
    this.#comparisons.push(this.#compare(place, record));
  }

  /**
   * The object with an unknown in it, where this run changes its definition; else `undefined`. Looks only at bundles that are known
   * by now: everything that stands on definitions is registered after them.
   */
  async spare(object: RenderedObject): Promise<RenderedObject | undefined> {
    if (!isCustomResource(object)) return undefined;
    const group = (object.apiVersion ?? "").split("/")[0] ?? "";
    const comparisons = await Promise.all(this.#comparisons);
    if (!comparisons.some(({ groups }) => groups.includes(group))) return undefined;
    this.#spared.set(group, (this.#spared.get(group) ?? 0) + 1);
    const metadata = object.metadata ?? {};
    // The name by which the engine knows an unknown; a value of the SDK's type would say the same.
    const annotations = { ...metadata.annotations, [MARK]: pulumi.runtime.unknownValue };
    return { ...object, metadata: { ...metadata, annotations } };
  }

  /** What the user is told of all this, a line each. */
  async report(): Promise<string[]> {
    const comparisons = await Promise.all(this.#comparisons);
    const spared = comparisons.flatMap(({ record, held, groups }) => {
      const counted = groups.filter((group) => this.#spared.has(group));
      if (counted.length === 0) return [];
      const objects = counted.reduce((sum, group) => sum + (this.#spared.get(group) ?? 0), 0);
      const step = held === undefined || held === "unseen" ? "" : `${held.from} → `;
      return [
        `previewed without the cluster's schema: ${String(objects)} ${objects === 1 ? "object" : "objects"} of ${counted.join(", ")}, because definitions change in this run (${step}${record.from})`,
      ];
    });
    return [...spared, ...comparisons.flatMap(staying)];
  }

  async #read(place: RecordPlace): Promise<Held> {
    const path = `/api/v1/namespaces/${place.namespace}/configmaps/${place.name}`;
    const answer = await this.#ask(path);
    if (answer?.status === 404) return undefined;
    if (answer?.status !== 200) return "unseen";
    const { data } = answer.body as { readonly data?: Partial<BundleRecord> };
    const { from = "", sha256 = "", objects = "" } = data ?? {};
    return { from, sha256, objects };
  }

  async #compare(place: RecordPlace, record: BundleRecord): Promise<Comparison> {
    const held = await (this.#held.get(place.name) ?? this.#read(place));
    const groups = groupsOf(record);
    if (held === "unseen") return { record, held, groups: [] };
    if (held !== undefined)
      return { record, held, groups: held.sha256 === record.sha256 ? [] : groups };
    // No record of ours: definitions that are there all the same are somebody else's, which this run takes over.
    const served = groups.map(async (group) => {
      const answer = await this.#ask(`/apis/${group}`);
      return answer?.status === 200 ? [group] : [];
    });
    return { record, held, groups: (await Promise.all(served)).flat() };
  }

  /** An answer, or `undefined` where there is no cluster, no right or no time: a preview is not to fail of that. */
  async #ask(path: string): Promise<Awaited<ReturnType<ClusterApi["get"]>> | undefined> {
    const late = sleep(WITHIN, undefined, { ref: false });
    const asked = this.#open().then((api) => api.get(path));
    return Promise.race([asked.catch(() => undefined), late]);
  }
}

/** API groups of the definitions in a record: what follows the plural in the name of each. */
function groupsOf({ objects }: BundleRecord): string[] {
  return [...new Set(definitionsIn(objects).map((name) => name.slice(name.indexOf(".") + 1)))];
}

/** Names of the definitions in a record, `plural.group`. */
export function definitionsIn(objects: string): string[] {
  return objects
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, kind]) => kind === "CustomResourceDefinition")
    .map(([, , name = ""]) => name);
}

/** Definitions that the cluster keeps though this run no longer brings them: in a diff they look like deleted ones. */
function staying({ record, held }: Comparison): string[] {
  if (held === undefined || held === "unseen" || held.sha256 === record.sha256) return [];
  const brought = new Set(definitionsIn(record.objects));
  const kept = definitionsIn(held.objects).filter((name) => !brought.has(name));
  return kept.length === 0
    ? []
    : [`${record.from} no longer brings ${kept.join(", ")}; what is on the cluster stays`];
}

/** Tells the user what was previewed without a schema; nothing outside previews. */
export async function tellUnseen(schemas: ChangingSchemas | undefined): Promise<void> {
  for (const line of (await schemas?.report()) ?? []) await pulumi.log.info(line);
}
