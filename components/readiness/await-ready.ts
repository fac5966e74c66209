import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { PlannedChart } from "../../plan/plan.ts";
import type { ClusterConnection } from "../cluster-connection.ts";
import type { Part } from "./part.ts";
import { untilReady } from "./until-ready.ts";

/** How a wait is part of the stack. */
export interface ReadinessOptions {
  readonly parent: pulumi.ComponentResource;
  readonly connection: ClusterConnection;
  /** What makes up the part; the wait begins when all of it is there. */
  readonly dependsOn: readonly pulumi.Resource[];
  /** Plain values; where one of them changes, the part is waited for again. */
  readonly of: Readonly<Record<string, string>>;
}

/**
 * An entry in the stack's state (a Stash) that says: this part is ready. Others depend on it. The wait is a hook on its
 * creation and its updates: a run in which the wait fails leaves the entry as it was, and the next one waits again. A
 * preview runs no hooks, and asks nothing.
 */
export function awaitReady(
  name: string,
  part: Part,
  { parent, connection, dependsOn, of }: ReadinessOptions,
): pulumi.Stash {
  const hook = new pulumi.ResourceHook(`await-${name}`, async () =>
    untilReady(await connection.open(), part),
  );
  return new pulumi.Stash(
    `${name}-ready`,
    { input: of },
    { parent, dependsOn: [...dependsOn], hooks: { beforeCreate: [hook], beforeUpdate: [hook] } },
  );
}

/** What a wait for a chart has to be repeated for: another version, other values, other places of its images. */
export function chartKey(chart: PlannedChart, images: unknown): Readonly<Record<string, string>> {
  return { chart: `${chart.name} ${chart.version}`, values: digestOf([chart.values, images]) };
}

/** A short stand-in for values that are nobody's business in the state. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
