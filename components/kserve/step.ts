import type * as pulumi from "@pulumi/pulumi";
import type { ReleaseOf } from "../../versions/schema.ts";
import type { LayerArgs } from "../layer.ts";

/** What the parts of KServe are placed with: the layer they belong to, its arguments and its name. */
export interface KServeStep extends LayerArgs {
  readonly parent: pulumi.ComponentResource;
  /** Name of the layer; every child's name starts with it. */
  readonly name: string;
  readonly release: ReleaseOf<"kserve">;
}
