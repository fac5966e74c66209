import * as pulumi from "@pulumi/pulumi";
import { setTimeout as sleep } from "node:timers/promises";
import { formatProblem } from "../../problems/problem.ts";
import type { ClusterApi } from "../cluster-api.ts";
import { refusalOf } from "../cluster-connection.ts";
import type { Found } from "./find-objects.ts";
import { idleControllers } from "./idle-controllers.ts";

type Api = Pick<ClusterApi, "get" | "delete">;

/** How long is waited, in milliseconds. */
export interface Patience {
  /** Without one object going. A model server has 30 s to end, and two controllers act one after the other. */
  readonly stalled: number;
  /** The same where a controller is seen not to run. */
  readonly idle: number;
  readonly poll: number;
  /** Between two lines that say what is still there. */
  readonly tell: number;
}

const PATIENCE: Patience = { stalled: 120_000, idle: 20_000, poll: 1_000, tell: 10_000 };

/** Objects in one line of a report. */
const NAMED = 20;

/** What others refer to goes after those others. */
const REFERRED_TO =
  /^(?:cluster)?servingruntimes\.|^clusterstoragecontainers\.|configs\.serving\.kserve\.io$|^localmodelnodegroups\.|^gateways\.|^knative(?:serving|eventing)s\./;

/** What is to go, and who makes it go. */
export interface Removal {
  readonly objects: readonly Found[];
  /** Namespaces in which the platform's controllers run. */
  readonly controllers: readonly string[];
}

/**
 * Deletes objects and waits until they are gone, finalizers and all; those that others refer to last. Ends with a
 * report when nothing goes any more, sooner where a controller does not run.
 */
export async function removeObjects(
  api: Api,
  { objects, controllers }: Removal,
  patience = PATIENCE,
): Promise<void> {
  const last = objects.filter(({ definition }) => REFERRED_TO.test(definition));
  const first = objects.filter((object) => !last.includes(object));
  for (const wave of [first, last]) {
    await Promise.all(wave.map((object) => remove(api, object)));
    await untilGone(api, { objects: wave, controllers }, patience);
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

async function untilGone(api: Api, removal: Removal, patience: Patience): Promise<void> {
  let waiting = removal.objects;
  let moved = Date.now();
  let told = moved;
  while (waiting.length > 0) {
    const left = await stillThere(api, waiting);
    if (left.length < waiting.length) moved = Date.now();
    waiting = left;
    if (waiting.length === 0) return;
    await endIfStuck(
      api,
      { ...removal, objects: waiting },
      { patience, still: Date.now() - moved },
    );
    if (Date.now() - told > patience.tell) {
      told = Date.now();
      await pulumi.log.info(`waiting for ${String(waiting.length)} to go: ${namesOf(waiting)}`);
    }
    await sleep(patience.poll);
  }
}

/** Throws when nothing has gone for too long. `still` is for how many milliseconds. */
async function endIfStuck(
  api: Api,
  { objects, controllers }: Removal,
  { patience, still }: { readonly patience: Patience; readonly still: number },
): Promise<void> {
  if (still <= Math.min(patience.idle, patience.stalled)) return;
  const idle = await idleControllers(api, controllers);
  if (idle.length > 0 || still > patience.stalled) throw new Error(stuck(objects, idle, still));
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

function stuck(objects: readonly Found[], idle: readonly string[], still: number): string {
  const finalizers = [...new Set(objects.flatMap((object) => object.finalizers))];
  return formatProblem({
    code: "destroy-services-stuck",
    level: "block",
    where: "kserve:destroy.withServices",
    found: [
      `for ${String(Math.round(still / 1000))} s none went of ${String(objects.length)}: ${namesOf(objects)}`,
      ...(finalizers.length === 0 ? [] : [`finalizers: ${finalizers.join(", ")}`]),
      ...(idle.length === 0 ? [] : [`not running: ${idle.join(", ")}`]),
    ].join("; "),
    allowed:
      "every object gone before its controller is; nothing of the platform has been removed yet",
    fix: "see why the controller of these objects does not act (kubectl get pods --all-namespaces, its log), then run the same command again",
  });
}
