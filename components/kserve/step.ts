import type * as pulumi from "@pulumi/pulumi";
import type { ReleaseOf } from "../../versions/schema.ts";
import type { LayerArgs } from "../layer.ts";
import { HAS_CA_BUNDLE, waitFor } from "../transforms.ts";
import type { ObjectTransform } from "../transforms.ts";

/** What the parts of KServe are placed with: the layer they belong to, its arguments and its name. */
export interface KServeStep extends LayerArgs {
  readonly parent: pulumi.ComponentResource;
  /** Name of the layer; every child's name starts with it. */
  readonly name: string;
  readonly release: ReleaseOf<"kserve">;
}

/** A controller without a certificate of its own is answered for by another one. */
type ControllerNames = Pick<
  ReleaseOf<"kserve">["controller"],
  "validatingWebhooks" | "mutatingWebhooks"
> & { readonly certificate?: string | undefined };

/** Holds a chart back until a controller can answer: certificate issued, webhooks signed. */
export function waitForController(names: ControllerNames): ObjectTransform[] {
  const { certificate, validatingWebhooks, mutatingWebhooks } = names;
  return [
    ...(certificate === undefined
      ? []
      : [waitFor("Certificate", "condition=Ready", [certificate])]),
    waitFor("ValidatingWebhookConfiguration", HAS_CA_BUNDLE, validatingWebhooks),
    waitFor("MutatingWebhookConfiguration", HAS_CA_BUNDLE, mutatingWebhooks),
  ];
}
