import type { Probe } from "../../versions/probes.ts";
import type { Answer } from "../cluster-api.ts";
import { readAnswer } from "./answers.ts";
import type { Verdict } from "./answers.ts";
import { groupVersion, judgesNamespace, judgesObject } from "./judging.ts";
import type { Webhook } from "./judging.ts";
import type { Cluster, ConfigurationRef } from "./part.ts";
import { readObject } from "./read.ts";

/**
 * Milliseconds between the first and the last of the good answers in a row. One alone may come from the one API server
 * or the one node that knows the way already.
 */
const STEADY = 1_000;
/** Milliseconds after which an answer that does not concern the webhooks counts as the last word. */
const SETTLED = 10_000;
/** Tried where the part's own namespace is one that the webhook leaves out. */
const ANY_NAMESPACE = "default";

/** A question to the API server, and the webhooks that it reaches. */
interface Question {
  readonly path: string;
  readonly text: string;
  readonly webhooks: readonly string[];
  /** True where one of them could not be called. */
  readonly unsigned: boolean;
}

/** What is known about the webhooks of a part after a look. */
export interface WebhookState {
  /** What does not answer yet, in a few words each. */
  readonly missing: readonly string[];
  /** Webhooks that nothing signed yet: no API server can call them. */
  readonly unsigned: readonly string[];
  /** Webhooks that no known object reaches, each with the reason. */
  readonly unproven: readonly string[];
  /** Webhooks that a question did not get to, each with what was said instead. */
  readonly unheard: readonly string[];
}

const NOTHING: WebhookState = { missing: [], unsigned: [], unproven: [], unheard: [] };

interface Namespace {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
}

/** Asks the webhooks of a part, look after look, until each has answered twice. */
export class WebhookWatch {
  readonly #api: Cluster;
  readonly #probes: readonly Probe[];
  readonly #namespace: string;
  /** First of the same verdicts in a row, by question. */
  readonly #since = new Map<string, { readonly kind: Verdict["kind"]; readonly time: number }>();
  readonly #settled = new Map<string, Verdict>();
  /** Since when the API server has been seen to call no webhooks. */
  #offSince: number | undefined;

  constructor(api: Cluster, probes: readonly Probe[], namespace: string) {
    this.#api = api;
    this.#probes = probes;
    this.#namespace = namespace;
  }

  /** One look at this time, in milliseconds. */
  async look(refs: readonly ConfigurationRef[], time: number): Promise<WebhookState> {
    const read = await Promise.all(refs.map((ref) => this.#read(ref)));
    const absent = refs.filter((_ref, index) => read[index] === undefined);
    const webhooks = read.flatMap((found) => found ?? []);
    const blank = webhooks.filter((webhook) => this.#isBlank(webhook));
    const { questions, unproven } = await this.#questions(webhooks);
    const verdicts = await Promise.all(questions.map((question) => this.#ask(question, time)));
    const off = await this.#areOff(refs, questions, verdicts);
    this.#offSince = off ? (this.#offSince ?? time) : undefined;
    // Not at the first sight: an API server learns of a new configuration a moment after it was made.
    if (time - (this.#offSince ?? time) >= STEADY)
      return { ...NOTHING, unproven: ["the API server calls no webhooks"] };
    return {
      missing: [
        ...absent.map(({ kind, name }) => `${kind} ${name} (not there yet)`),
        ...blank.map(({ name }) => `webhook ${name} (not filled in yet)`),
        ...verdicts.flatMap((verdict) => (verdict.kind === "not-yet" ? [verdict.found] : [])),
      ],
      unsigned: webhooks.filter(isUnsigned).map(({ name }) => name),
      unproven,
      unheard: verdicts.flatMap((verdict, index) =>
        verdict.kind === "not-asked"
          ? [`${questions[index]?.webhooks.join(", ") ?? ""}: ${verdict.found}`]
          : [],
      ),
    };
  }

  /**
   * An object that passes a webhook which nobody signed, and still has not: the API server does not call webhooks (a
   * simulated cluster). Elsewhere an unsigned one fails.
   */
  async #areOff(
    refs: readonly ConfigurationRef[],
    questions: readonly Question[],
    verdicts: readonly Verdict[],
  ): Promise<boolean> {
    const passed = questions.filter((_question, index) => verdicts[index]?.passed);
    if (!passed.some(({ unsigned }) => unsigned)) return false;
    // Signed in between, it may have judged; an answer that came before this reading was not judged by one unsigned now.
    const now = (await Promise.all(refs.map((ref) => this.#read(ref)))).flatMap(
      (found) => found ?? [],
    );
    return now
      .filter(isUnsigned)
      .some(({ name }) => passed.some(({ webhooks }) => webhooks.includes(name)));
  }

  /**
   * Knative's webhooks come without rules and write them themselves, signed
   * (knative/pkg@6fe064596819:webhook/resourcesemantics/defaulting/defaulting.go): until then it is not known whom they hold up.
   */
  #isBlank({ name, failurePolicy = "Fail", rules = [], clientConfig }: Webhook): boolean {
    const isKnown = this.#probes.some(({ webhooks }) => webhooks.includes(name));
    return (
      isKnown &&
      failurePolicy === "Fail" &&
      rules.length === 0 &&
      (clientConfig?.caBundle ?? "") === ""
    );
  }

  async #read({ kind, name }: ConfigurationRef): Promise<readonly Webhook[] | undefined> {
    const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s/${name}`;
    const found = await readObject<{ readonly webhooks?: readonly Webhook[] }>(this.#api, path);
    return found === undefined ? undefined : (found.webhooks ?? []);
  }

  /** One question for all webhooks that the same object in the same namespace reaches. */
  async #questions(
    webhooks: readonly Webhook[],
  ): Promise<{ readonly questions: readonly Question[]; readonly unproven: readonly string[] }> {
    const unproven: string[] = [];
    const reached = new Map<string, Question>();
    for (const webhook of webhooks.filter(holdsUp)) {
      const question = await this.#questionFor(webhook);
      if (typeof question === "string") unproven.push(`${webhook.name}: ${question}`);
      else {
        const key = question.path + question.text;
        const { webhooks: names = [], unsigned = false } = reached.get(key) ?? {};
        reached.set(key, {
          ...question,
          webhooks: [...new Set([...names, webhook.name])],
          unsigned: unsigned || isUnsigned(webhook),
        });
      }
    }
    return { questions: [...reached.values()], unproven };
  }

  /** The question that reaches a webhook, or why there is none. */
  async #questionFor(webhook: Webhook): Promise<Pick<Question, "path" | "text"> | string> {
    const known = this.#probes.filter(({ webhooks }) => webhooks.includes(webhook.name));
    if (known.length === 0) return "versions/probes.json has no object for it";
    const fitting = known.filter((probe) => judgesObject(webhook, probe));
    if (fitting.length === 0) return "it judges none of the objects in versions/probes.json";
    for (const namespace of new Set([this.#namespace, ANY_NAMESPACE])) {
      const labels = await this.#labelsOf(namespace);
      const probe = fitting.find((item) => judgesNamespace(webhook, item, labels));
      if (probe !== undefined) return questionOf(probe, namespace);
    }
    return `it judges nothing in the namespaces ${this.#namespace} and ${ANY_NAMESPACE}`;
  }

  async #labelsOf(namespace: string): Promise<Readonly<Record<string, string>>> {
    const path = `/api/v1/namespaces/${namespace}`;
    const found = await readObject<Namespace>(this.#api, path);
    return found?.metadata.labels ?? {};
  }

  async #ask(question: Question, time: number): Promise<Verdict> {
    const key = question.path + question.text;
    const settled = this.#settled.get(key);
    if (settled !== undefined) return settled;
    const verdict = readAnswer(await this.#try(question), question.webhooks);
    const first = this.#since.get(key);
    const since = first?.kind === verdict.kind ? first.time : time;
    this.#since.set(key, { kind: verdict.kind, time: since });
    if (verdict.kind === "not-yet") return verdict;
    if (time - since < (verdict.kind === "answered" ? STEADY : SETTLED)) {
      const soFar = verdict.kind === "answered" ? "has answered once" : verdict.found;
      return { ...verdict, kind: "not-yet", found: `${question.webhooks.join(", ")} (${soFar})` };
    }
    this.#settled.set(key, verdict);
    return verdict;
  }

  /** A connection that breaks is an answer, too: the API server is not there. */
  #try({ path, text }: Question): Promise<Answer> {
    return this.#api
      .tryCreate(path, text)
      .catch((error: unknown) => ({ status: 503, body: { message: (error as Error).message } }));
  }
}

/** Nobody is held up by a webhook that may fail, or that no rule sends anything to. */
function holdsUp({ failurePolicy = "Fail", rules = [] }: Webhook): boolean {
  return failurePolicy === "Fail" && rules.length > 0;
}

/** Charts leave the field out, or fill it with something that is no certificate. */
function isUnsigned(webhook: Webhook): boolean {
  const ca = Buffer.from(webhook.clientConfig?.caBundle ?? "", "base64").toString();
  return holdsUp(webhook) && !ca.includes("BEGIN CERTIFICATE");
}

function questionOf(probe: Probe, namespace: string): Pick<Question, "path" | "text"> {
  const { object, resource, scope } = probe;
  const [group, version] = groupVersion(object.apiVersion);
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = scope === "Cluster" ? "" : `/namespaces/${namespace}`;
  const [plural = "", subresource] = resource.split("/");
  const tail = subresource === undefined ? "" : `/${object.metadata.name}/${subresource}`;
  return {
    path: `${root}${place}/${plural}${tail}`,
    text: JSON.stringify(object),
  };
}
