import { setTimeout as sleepFor } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { formatProblem } from "../../problems/problem.ts";
import type { Problem } from "../../problems/problem.ts";
import { loadProbes } from "../../versions/probes.ts";
import type { Probes } from "../../versions/probes.ts";
import { Attempts } from "./attempts.ts";
import { unmet } from "./conditions.ts";
import { judgeWorkload } from "./judge.ts";
import { Lasting } from "./lasting.ts";
import type { Cluster, Part, PartContents } from "./part.ts";
import { podState, podsOf } from "./pods.ts";
import { ReadinessError } from "./read.ts";
import { findSymptom } from "./symptoms.ts";
import { WebhookWatch } from "./webhooks.ts";
import type { WebhookState } from "./webhooks.ts";
import { isRolledOut, seeWorkload, stateOf } from "./workloads.ts";
import type { SeenWorkload } from "./workloads.ts";

/** Milliseconds until a part has to be ready: Helm's own limit for a release (helm/helm@v3.19.0:pkg/cmd/install.go). */
const WITHIN = 300_000;
const POLL = 250;
/** Milliseconds between two looks at pods, which are asked for only while a rollout is not done. */
const JUDGE_EVERY = 2_000;
/** Milliseconds between two lines that say what is still missing. */
const TELL_EVERY = 10_000;
/** Characters of such a line. */
const LINE = 400;

/** Time as a wait sees it; tests have one of their own. */
export interface Clock {
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

/** What a wait is told with, besides the part. */
export interface WaitOptions {
  readonly clock?: Clock;
  readonly probes?: Probes;
  /** Says a line to the user. */
  readonly tell?: (line: string, level: "info" | "warn") => void;
}

const CLOCK: Clock = { now: () => Date.now(), sleep: (milliseconds) => sleepFor(milliseconds) };

/** Resolves when a part is ready; throws a report of what keeps it from that, as soon as nothing but the user can help. */
export async function untilReady(
  api: Cluster,
  part: Part,
  options: WaitOptions = {},
): Promise<void> {
  const { clock = CLOCK, tell = tellEngine, probes = loadProbes() } = options;
  const wait = new Wait(api, part, probes);
  await untilNothingIsMissing(wait, { part, clock, tell });
  for (const webhook of wait.state.unproven) tell(`${part.name}: not asked, ${webhook}`, "info");
  for (const webhook of wait.state.unheard) tell(`${part.name}: not heard, ${webhook}`, "warn");
}

async function untilNothingIsMissing(
  wait: Wait,
  { part, clock, tell }: Required<Pick<WaitOptions, "clock" | "tell">> & { readonly part: Part },
): Promise<void> {
  const start = clock.now();
  let told = start;
  for (;;) {
    const missing = await wait.look(clock.now());
    if (missing.length === 0) return;
    if (clock.now() - start > WITHIN) throw new ReadinessError(await wait.timedOut(missing));
    if (clock.now() - told >= TELL_EVERY) {
      told = clock.now();
      tell(`${part.name}: waiting for ${inShort(missing)}`, "info");
    }
    await clock.sleep(POLL);
  }
}

/** What fits on a line; the report at the end has all of it. */
function inShort(missing: readonly string[]): string {
  const text = [...new Set(missing)].join("; ");
  return text.length <= LINE ? text : `${text.slice(0, LINE)}…`;
}

/** One wait for one part: what was seen so far. */
class Wait {
  readonly #api: Cluster;
  readonly #part: Part;
  readonly #probes: Probes;
  readonly #webhooks: WebhookWatch;
  readonly #lasting = new Lasting();
  readonly #attempts = new Attempts();
  #judged = -Infinity;
  #waiting: readonly SeenWorkload[] = [];
  state: Pick<WebhookState, "unproven" | "unheard"> = { unproven: [], unheard: [] };

  constructor(api: Cluster, part: Part, probes: Probes) {
    this.#api = api;
    this.#part = part;
    this.#probes = probes;
    this.#webhooks = new WebhookWatch(api, probes.probes, part.namespace);
  }

  /** What is still missing; nothing when the part is ready. */
  async look(time: number): Promise<readonly string[]> {
    try {
      return await this.#look(time);
    } catch (error) {
      if (error instanceof ReadinessError) throw error;
      return [`the API server (${(error as Error).message})`];
    }
  }

  async #look(time: number): Promise<readonly string[]> {
    const contents = await this.#part.contents(this.#api);
    const seen = await Promise.all(contents.workloads.map((ref) => seeWorkload(this.#api, ref)));
    this.#waiting = seen.filter((workload) => !isRolledOut(workload));
    const conditions = await Promise.all(
      this.#part.conditions.map((condition) => unmet(this.#api, condition)),
    );
    const missing = [
      ...(this.#part.hasWorkloads && seen.length === 0 ? ["a workload (none there yet)"] : []),
      ...this.#waiting.map(stateOf),
      ...conditions.filter((words) => words !== undefined),
    ];
    if (missing.length > 0) {
      await this.#judge(time);
      return [...missing, ...this.#attempts.waiting.map(nextAttempt)];
    }
    const state = await this.#webhooks.look(contents.configurations, time);
    this.state = state;
    await this.#judgeWebhooks(contents, state, time);
    return state.missing;
  }

  /** Whether what is missing can still come. */
  async #judge(time: number): Promise<void> {
    if (!this.#isTime(time)) return;
    this.#lasting.begin(time);
    this.#attempts.begin();
    for (const workload of this.#waiting) {
      const pods = await podsOf(this.#api, workload);
      const looking = { api: this.#api, lasting: this.#lasting, attempts: this.#attempts };
      end(await judgeWorkload(looking, workload, pods));
    }
  }

  /** A process may run for ever and never begin to sign; its log says so once. */
  async #judgeWebhooks(contents: PartContents, state: WebhookState, time: number): Promise<void> {
    if (state.missing.length === 0 || state.unsigned.length === 0 || !this.#isTime(time)) return;
    end(await findSymptom(this.#api, contents.workloads, this.#probes.symptoms));
  }

  #isTime(time: number): boolean {
    if (time - this.#judged < JUDGE_EVERY) return false;
    this.#judged = time;
    return true;
  }

  /** The report at the end of the time: what is missing, and the state of each pod. */
  async timedOut(missing: readonly string[]): Promise<string> {
    const pods = await Promise.all(
      this.#waiting.map((workload) => podsOf(this.#api, workload).catch(() => [])),
    );
    const { name, namespace } = this.#part;
    return formatProblem({
      code: "readiness-not-in-time",
      level: "block",
      where: name,
      found: [
        `after ${String(WITHIN / 1000)} s still missing: ${missing.join("; ")}`,
        ...pods.flat().flatMap(podState),
      ].join("; "),
      allowed: "every workload rolled out, every condition true, an answer from every webhook",
      fix: `look at what is named: kubectl get pods,events --namespace ${namespace}; then pulumi up again`,
    });
  }
}

/** Nobody else has it tried sooner. */
function nextAttempt(pod: string): string {
  const [namespace = "", name = ""] = pod.split("/");
  return `pod ${pod} (it failed before this wait, and is tried again within five minutes, or at once after kubectl delete pod ${name} --namespace ${namespace})`;
}

function end(problem: Problem | undefined): void {
  if (problem !== undefined) throw new ReadinessError(formatProblem(problem));
}

function tellEngine(line: string, level: "info" | "warn"): void {
  // Progress is gone with the next line; a warning stays.
  void pulumi.log[level](line, undefined, undefined, level === "info");
}
