import * as pulumi from "@pulumi/pulumi";
import type Queue from "p-queue";
import { applyDocuments, deleteDocuments } from "./apply-documents.ts";
import type { ClusterConnection } from "../cluster-connection.ts";
import { digestOf, splitDocuments } from "./documents.ts";
import type { Document } from "./documents.ts";

/** Requests on their way at once; more only queue in the API server, where none can go first. */
const AT_ONCE = 8;

export interface BundleOptions {
  /** Objects that another chart brings (`Kind/name`). */
  readonly leaveOut?: readonly string[];
  /** What stands on these definitions takes long. */
  readonly urgent?: boolean;
}

interface Bundle {
  readonly documents: readonly Document[];
  readonly urgent: boolean;
}

/** What the engine keeps of a bundle: enough to see that it changed and to take it away, no schema. */
export interface BundleRecord {
  /** Chart or file that it came from, with its version. */
  readonly from: string;
  /** Digest of the objects' texts. */
  readonly sha256: string;
  /** `apiVersion kind name`, one object a line, sorted. */
  readonly objects: string;
}

/**
 * Brings CRDs to the cluster from inside the program, when the engine creates or updates the record of their bundle:
 * resource hooks (pulumi/pulumi@v3.259.0:sdk/nodejs/resource.ts, ResourceHook) run in this process, so that schemas
 * of some megabytes are in no message, no diff and no state. They run before the record is written: a run that dies in
 * between applies the same again.
 */
export class CrdInstaller {
  readonly #connection: ClusterConnection;
  readonly #bundles = new Map<string, Bundle>();
  readonly #apply: pulumi.ResourceHook;
  readonly #delete: pulumi.ResourceHook;
  #queue: Queue | undefined;

  constructor(connection: ClusterConnection) {
    this.#connection = connection;
    this.#apply = new pulumi.ResourceHook("apply-crds", (args) => this.#applyBundle(args));
    // Registered in every run: a layer that goes away in `pulumi up` still has to find it.
    this.#delete = new pulumi.ResourceHook("delete-crds", (args) => this.#deleteBundle(args));
  }

  /**
   * Takes the objects of a file of manifests, but for those that the plan leaves out (`Kind/name`), and answers with
   * what the engine may keep of them. Urgent ones go to the API server before all others that wait.
   */
  remember(from: string, text: string, options: BundleOptions = {}): BundleRecord {
    const { leaveOut = [], urgent = false } = options;
    const documents = splitDocuments(text).filter(
      ({ kind, name }) => !leaveOut.includes(`${kind}/${name}`),
    );
    const sha256 = digestOf(documents);
    this.#bundles.set(sha256, { documents, urgent });
    const objects = documents.map(({ apiVersion, kind, name }) => `${apiVersion} ${kind} ${name}`);
    // Each line ends: a diff of two texts calls a last line without an end changed when another one follows.
    return {
      from,
      sha256,
      objects: objects
        .sort()
        .map((line) => `${line}\n`)
        .join(""),
    };
  }

  /** Hooks of a record: apply on create and update; delete only where the stack asks for it. */
  hooks(deleteOnDestroy: boolean): pulumi.ResourceHookBinding {
    return {
      beforeCreate: [this.#apply],
      beforeUpdate: [this.#apply],
      ...(deleteOnDestroy ? { afterDelete: [this.#delete] } : {}),
    };
  }

  async #applyBundle(args: pulumi.ResourceHookArgs): Promise<void> {
    const { sha256 } = recordOf(args.newInputs);
    const bundle = this.#bundles.get(sha256);
    if (bundle === undefined) throw new Error(`no CRDs with the digest ${sha256} in this run`);
    const { documents, urgent } = bundle;
    const [api, { default: Queue }] = await Promise.all([
      this.#connection.open(),
      import("p-queue"),
    ]);
    this.#queue ??= new Queue({ concurrency: AT_ONCE });
    const queue = this.#queue;
    await applyDocuments(api, documents, (work) => queue.add(work, { priority: urgent ? 1 : 0 }));
  }

  async #deleteBundle(args: pulumi.ResourceHookArgs): Promise<void> {
    const { objects } = recordOf(args.oldInputs);
    const lines = objects.split("\n").filter((line) => line !== "");
    const documents = lines.map((line) => {
      const [apiVersion = "", kind = "", name = ""] = line.split(" ");
      return { apiVersion, kind, name };
    });
    await deleteDocuments(await this.#connection.open(), documents);
  }
}

function recordOf(inputs: Record<string, unknown> | undefined): BundleRecord {
  return inputs?.["data"] as BundleRecord;
}
