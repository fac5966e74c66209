import * as pulumi from "@pulumi/pulumi";
import { setTimeout as sleep } from "node:timers/promises";
import { formatProblem } from "../../problems/problem.ts";
import type { ClusterApi } from "../cluster-api.ts";
import { refusalOf } from "../cluster-connection.ts";
import type { Found } from "./find-objects.ts";

/** How long is waited, in milliseconds. */
export interface Patience {
  /** Without one object going. A model server has 30 s to end, and two controllers act one after the other. */
  readonly stalled: number;
  readonly poll: number;
  /** Between two lines that say what is still there. */
  readonly tell: number;
}

const PATIENCE: Patience = { stalled: 120_000, poll: 1_000, tell: 10_000 };

/** Objects in one line of a report. */
const NAMED = 20;

/** What others refer to goes after those others. */
const REFERRED_TO =
  /^(?:cluster)?servingruntimes\.|^clusterstoragecontainers\.|configs\.serving\.kserve\.io$|^localmodelnodegroups\.|^gateways\.|^knative(?:serving|eventing)s\./;

/**
 * Deletes objects and waits until they are gone, finalizers and all; those that others refer to last. Ends with a
 * report when nothing goes any more.
 */
export async function removeObjects(
  api: Pick<ClusterApi, "get" | "delete">,
  objects: readonly Found[],
  patience = PATIENCE,
): Promise<void> {
  const last = objects.filter(({ definition }) => REFERRED_TO.test(definition));
  const first = objects.filter((object) => !last.includes(object));
  for (const wave of [first, last]) {
    await Promise.all(wave.map((object) => remove(api, object)));
    await untilGone(api, wave, patience);
  }
}

/** The first titles of a list, and how many there are. */
export function namesOf(objects: readonly Pick<Found, "title" | "owner">[]): string {
  const names = objects
    .slice(0, NAMED)
    .map(({ title, owner }) => (owner === undefined ? title : `${title} (of ${owner})`));
  const more = objects.length - names.length;
  return `${names.join(", ")}${more > 0 ? ` and ${String(more)} more` : ""}`;
}

async function remove(api: Pick<ClusterApi, "delete">, { path, title }: Found): Promise<void> {
  const answer = await api.delete(path);
  if (answer.status >= 300 && answer.status !== 404)
    throw new Error(
      formatProblem({
        code: "destroy-services-refused",
        level: "block",
        where: title,
        found: refusalOf(answer),
        allowed: "deletion by the identity of the kubeconfig, as kserve:destroy.withServices asks",
        fix: "see what the API server says above; delete the object yourself, then run the same command again",
      }),
    );
}

async function untilGone(
  api: Pick<ClusterApi, "get">,
  wave: readonly Found[],
  { stalled, poll, tell }: Patience,
): Promise<void> {
  let waiting = wave;
  let moved = Date.now();
  let told = moved;
  while (waiting.length > 0) {
    const left = await stillThere(api, waiting);
    if (left.length < waiting.length) moved = Date.now();
    waiting = left;
    if (waiting.length === 0) return;
    if (Date.now() - moved > stalled) throw new Error(stuck(waiting, stalled));
    if (Date.now() - told > tell) {
      told = Date.now();
      await pulumi.log.info(
        `waiting until ${String(waiting.length)} are gone: ${namesOf(waiting)}`,
      );
    }
    await sleep(poll);
  }
}

async function stillThere(
  api: Pick<ClusterApi, "get">,
  objects: readonly Found[],
): Promise<Found[]> {
  const answers = await Promise.all(
    objects.map(async (object) => {
      const { status, body } = await api.get(object.path);
      if (status === 404) return [];
      const { metadata } = body as {
        readonly metadata?: { readonly finalizers?: readonly string[] };
      };
      return [{ ...object, finalizers: metadata?.finalizers ?? [] }];
    }),
  );
  return answers.flat();
}

function stuck(objects: readonly Found[], stalled: number): string {
  const held = objects.filter(({ finalizers }) => finalizers.length > 0);
  const finalizers = [...new Set(held.flatMap((object) => object.finalizers))];
  return formatProblem({
    code: "destroy-services-stuck",
    level: "block",
    where: "kserve:destroy.withServices",
    found: `for ${String(stalled / 1000)} s none went of ${String(objects.length)}: ${namesOf(objects)}${finalizers.length === 0 ? "" : `; finalizers: ${finalizers.join(", ")}`}`,
    allowed:
      "every object gone before its controller is; nothing of the platform has been removed yet",
    fix: "see whether the controller of these objects runs (kubectl get pods --all-namespaces) and what it logs, then run the same command again",
  });
}
