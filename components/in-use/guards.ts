import * as pulumi from "@pulumi/pulumi";
import type { LayerName, Plan, PlannedLayer } from "../../plan/plan.ts";
import { formatProblem } from "../../problems/problem.ts";
import { tellUnseen } from "../crds/changing-schemas.ts";
import type { CustomResourceDefinitions } from "../crds/custom-resource-definitions.ts";
import { layerType } from "../layer.ts";
import type { Providers } from "../layer.ts";
import type { PlacedObjects } from "../placed-objects.ts";
import { findInUse } from "./find-objects.ts";
import type { InUse } from "./find-objects.ts";
import { guardOf } from "./kinds.ts";
import type { Guarded } from "./kinds.ts";
import { namesOf, removeObjects } from "./remove-objects.ts";

export interface UseGuardsArgs {
  readonly plan: Plan;
  readonly providers: Providers;
  readonly crds: CustomResourceDefinitions;
  readonly placed: PlacedObjects;
  /** The layers of the plan. */
  readonly layers: readonly (pulumi.Resource & { readonly product: string })[];
}

/** What the engine keeps of a guard: lists as lines of text, which a diff shows one by one. */
type Kept = Readonly<Record<keyof Guarded, string>>;

/** End of the name of the guard that is about everything. */
const PLATFORM = "-platform";

/** Layers that a stack never goes without: their guard is that of the whole platform. */
const ALWAYS: readonly LayerName[] = ["CertManager", "KServeCore"];

/**
 * Keeps layers on the cluster that somebody's objects need: services, routes, and whatever has a finalizer that only a
 * controller of ours takes away. One entry in the state for each layer that a stack may lose, and one for the whole;
 * each stands on its layer, so that the engine deletes it first, and asks the cluster before that (a hook). The last
 * one is about everything: it goes only when the platform goes.
 */
export class UseGuards extends pulumi.ComponentResource {
  readonly #args: UseGuardsArgs;
  readonly #hook: pulumi.ResourceHook;
  #platformAsked = false;

  constructor(name: string, args: UseGuardsArgs) {
    super(layerType("UseGuards"), name, {});
    this.#args = args;
    // Registered in every run: a layer that goes away in `pulumi up` still has to find it. In previews, too: a refusal
    // is known before anything is changed.
    this.#hook = new pulumi.ResourceHook("ask-who-uses", (call) => this.#ask(call), {
      onDryRun: true,
    });
    const guards = args.plan.layers
      .filter((layer) => !ALWAYS.includes(layer.name))
      .map((layer) => this.#place(`${name}-${layer.name}`, [layer], []));
    this.#place(`${name}${PLATFORM}`, args.plan.layers, guards);
    this.registerOutputs({});
  }

  #place(
    name: string,
    planned: readonly PlannedLayer[],
    before: readonly pulumi.Resource[],
  ): pulumi.Resource {
    const products = planned.map((layer) => layer.product);
    const parts = this.#args.layers.filter((layer) =>
      products.some((item) => item === layer.product),
    );
    return new pulumi.Stash(
      name,
      { input: {} },
      {
        parent: this,
        dependsOn: [...parts, ...before],
        hooks: { beforeDelete: [this.#hook] },
        // Asked when everything that it stands on is registered: only then is known what was placed.
        transforms: [
          ({ opts }) =>
            this.#complete(
              planned.map((layer) => layer.name),
              opts,
            ),
        ],
      },
    );
  }

  async #complete(
    layers: readonly LayerName[],
    opts: pulumi.CustomResourceOptions,
  ): Promise<pulumi.ResourceTransformResult> {
    const { plan, crds, placed } = this.#args;
    const definitions = layers.flatMap((layer) => crds.definitionsOf(layer));
    const guarded = guardOf(layers, plan, { definitions, placed: placed.objects });
    // Everything is registered now: what a preview spared is counted.
    if (layers.includes("KServeCore")) await tellUnseen(placed.schemas);
    return { props: { input: keep(guarded) }, opts };
  }

  async #ask({ name, oldInputs }: pulumi.ResourceHookArgs): Promise<void> {
    const { input } = oldInputs as { readonly input: Partial<Kept> };
    const isPlatform = name.endsWith(PLATFORM);
    if (this.#platformAsked) return;
    this.#platformAsked = isPlatform;
    const api = await this.#args.providers.connection.open();
    const { needs, stays } = await findInUse(api, recall(input));
    if (stays.length > 0) await pulumi.log.warn(unattended(stays));
    if (needs.length === 0) return;
    const { layers, settings } = this.#args.plan;
    const { withServices } = settings.destroy;
    if (!isPlatform || !withServices) throw new Error(refusal(needs, isPlatform));
    if (pulumi.runtime.isDryRun()) {
      await pulumi.log.info(`deleted first, by kserve:destroy.withServices: ${namesOf(needs)}`);
      return;
    }
    await pulumi.log.info(`deleting ${String(needs.length)} first: ${namesOf(needs)}`);
    const controllers = [...new Set(layers.flatMap((layer) => layer.namespaces))];
    await removeObjects(api, { objects: needs, controllers });
  }
}

function keep(guarded: Guarded): Kept {
  const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join("");
  const { kinds, placed, classes, gateways, owners } = guarded;
  return {
    kinds: lines(kinds),
    placed: lines(placed),
    classes: lines(classes),
    gateways: lines(gateways),
    owners: lines(owners),
  };
}

function recall(kept: Partial<Kept>): Guarded {
  const list = (text = ""): string[] => text.split("\n").filter((line) => line !== "");
  return {
    kinds: list(kept.kinds),
    placed: list(kept.placed),
    classes: list(kept.classes),
    gateways: list(kept.gateways),
    owners: list(kept.owners),
  };
}

function refusal(needs: InUse["needs"], isPlatform: boolean): string {
  return formatProblem({
    code: "destroy-in-use",
    level: "block",
    where: isPlatform ? "pulumi destroy" : "a layer that is to go",
    found: `${String(needs.length)} ${needs.length === 1 ? "object" : "objects"} of others: ${namesOf(needs)}`,
    allowed: "none: they are served, and their finalizers are taken away, by what is about to go",
    fix: isPlatform
      ? "delete them, or `pulumi config set --path kserve:destroy.withServices true` to have them deleted first; then pulumi destroy --run-program again"
      : "delete them or move them (an InferenceService: serving.kserve.io/deploymentMode), then pulumi up again; or put the layer back into the stack file",
  });
}

function unattended(stays: InUse["stays"]): string {
  return `${String(stays.length)} ${stays.length === 1 ? "object stays" : "objects stay"} on the cluster with nobody acting on ${stays.length === 1 ? "it" : "them"} afterwards: ${namesOf(stays)}`;
}
