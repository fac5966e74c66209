import type { Answer } from "../../components/cluster-api.ts";
import type { Cluster } from "../../components/readiness/part.ts";
import type { Clock } from "../../components/readiness/until-ready.ts";

interface Item {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly involvedObject?: { readonly uid?: string };
}

const OK = 200;
const NOT_FOUND: Answer = { status: 404, body: { message: "not found" } };

/** An API server of a few objects: by path, with the selectors that the program uses. */
export class FakeCluster implements Cluster {
  /** Objects and lists (arrays) by path. */
  readonly objects = new Map<string, unknown>();
  readonly logs = new Map<string, string>();
  /** Everything that was asked, with its query. */
  readonly asked: string[] = [];
  /** Objects that were tried, by path. */
  readonly tried: { readonly path: string; readonly object: unknown }[] = [];
  /** What the API server says to an object; absent: it would create it. */
  answer: (path: string, object: unknown) => Answer = () => ({ status: 201, body: {} });
  /** What it says to every reading, in place of what is there. */
  broken: Answer | undefined;

  get(path: string): Promise<Answer> {
    this.asked.push(path);
    if (this.broken !== undefined) return Promise.resolve(this.broken);
    const url = new URL(path, "https://cluster.test");
    const found = this.objects.get(url.pathname);
    if (found === undefined) return Promise.resolve(NOT_FOUND);
    const body = Array.isArray(found) ? { items: select(found as Item[], url) } : found;
    return Promise.resolve({ status: OK, body });
  }

  getText(path: string): Promise<Answer> {
    this.asked.push(path);
    const text = this.logs.get(new URL(path, "https://cluster.test").pathname);
    return Promise.resolve(text === undefined ? NOT_FOUND : { status: OK, body: text });
  }

  tryCreate(path: string, text: string): Promise<Answer> {
    const object: unknown = JSON.parse(text);
    this.tried.push({ path, object });
    return Promise.resolve(this.answer(path, object));
  }
}

/** Time that passes only while somebody sleeps; things may happen on the way. */
export class FakeClock implements Clock {
  #time = 0;
  readonly #events: { readonly time: number; readonly run: () => void }[] = [];

  /** Has something happen at a time, in seconds. */
  at(seconds: number, run: () => void): this {
    this.#events.push({ time: seconds * 1000, run });
    this.#events.sort((a, b) => a.time - b.time);
    return this;
  }

  now(): number {
    return this.#time;
  }

  sleep(milliseconds: number): Promise<void> {
    this.#time += milliseconds;
    while ((this.#events[0]?.time ?? Infinity) <= this.#time) this.#events.shift()?.run();
    return Promise.resolve();
  }

  /** Seconds since the start. */
  get seconds(): number {
    return this.#time / 1000;
  }
}

function select(items: readonly Item[], { searchParams }: URL): Item[] {
  const labels = pairs(searchParams.get("labelSelector"));
  const [, uid] = pairs(searchParams.get("fieldSelector"))[0] ?? [];
  return items.filter(
    ({ metadata, involvedObject }) =>
      labels.every(([key = "", value]) => metadata?.labels?.[key] === value) &&
      (uid === undefined || involvedObject?.uid === uid),
  );
}

function pairs(selector: string | null): string[][] {
  return selector === null ? [] : selector.split(",").map((pair) => pair.split("="));
}
