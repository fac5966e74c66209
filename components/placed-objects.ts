import * as pulumi from "@pulumi/pulumi";
import { ChangingSchemas } from "./crds/changing-schemas.ts";
import type { Providers } from "./layer.ts";
import { isCustomResource } from "./transforms.ts";
import type { RenderedObject } from "./transforms.ts";

/** What identifies an object of a kind that the API server does not know by itself. */
export interface PlacedObject {
  readonly kind: string;
  readonly group: string;
  /** Empty for objects of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
}

/**
 * Sees every custom resource of a run on its way into the engine, whoever places it: charts and components alike.
 * Keeps their names, and in a preview leaves those alone that the cluster's definitions cannot judge.
 */
export class PlacedObjects {
  readonly #objects: PlacedObject[] = [];
  /** Only in previews: `pulumi up` shows every object to the API server. */
  readonly schemas: ChangingSchemas | undefined;

  constructor(schemas?: ChangingSchemas) {
    this.schemas = schemas;
  }

  /** Sees every resource that is registered from now on. */
  static watch(providers: Pick<Providers, "connection">): PlacedObjects {
    const preview = pulumi.runtime.isDryRun();
    const placed = new PlacedObjects(
      preview ? new ChangingSchemas(providers.connection) : undefined,
    );
    pulumi.runtime.registerResourceTransform((args) => placed.see(args));
    return placed;
  }

  /** What was placed until now. */
  get objects(): readonly PlacedObject[] {
    return this.#objects;
  }

  /** The engine's transform: answers only where it changes something. */
  async see(
    args: pulumi.ResourceTransformArgs,
  ): Promise<pulumi.ResourceTransformResult | undefined> {
    if (!args.custom || !args.type.startsWith("kubernetes:")) return undefined;
    const object = args.props as RenderedObject;
    if (!isCustomResource(object)) return undefined;
    this.#objects.push(identify(object));
    const spared = await this.schemas?.spare(object);
    return spared === undefined ? undefined : { props: spared, opts: args.opts };
  }
}

function identify({ apiVersion = "", kind = "", metadata = {} }: RenderedObject): PlacedObject {
  const group = apiVersion.split("/")[0] ?? "";
  return { kind, group, namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}
