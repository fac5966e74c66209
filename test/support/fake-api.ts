import type { Answer, ClusterApi } from "../../components/cluster-api.ts";

/** An API server in memory: paths to what it answers with, and every call as `METHOD path`. */
export interface FakeApi extends ClusterApi {
  readonly calls: string[];
}

/** Answers of a path: a body, a whole answer, or a function that is asked each time. `undefined` is not there. */
export type FakeAnswers = Readonly<Record<string, unknown>>;

/** An API server that knows the given paths, without their queries; deletions remove them. */
export function fakeApi(answers: FakeAnswers): FakeApi {
  const known = new Map(Object.entries(answers));
  const calls: string[] = [];
  const answer = (path: string): Answer => {
    const found = known.get(path.split("?")[0] ?? path);
    const body: unknown = typeof found === "function" ? (found as () => unknown)() : found;
    if (body === undefined) return { status: 404, body: { message: "not found" } };
    return isAnswer(body) ? body : { status: 200, body };
  };
  return {
    server: "https://127.0.0.1:1",
    calls,
    get: (path) => {
      calls.push(`GET ${path}`);
      return Promise.resolve(answer(path));
    },
    getText: () => Promise.resolve({ status: 404, body: "" }),
    tryCreate: () => Promise.resolve({ status: 201, body: {} }),
    apply: (path) => {
      calls.push(`PATCH ${path}`);
      return Promise.resolve(answer(path));
    },
    delete: (path) => {
      calls.push(`DELETE ${path}`);
      const before = answer(path);
      if (before.status === 200 && typeof known.get(path) !== "function") known.delete(path);
      return Promise.resolve(before);
    },
  };
}

function isAnswer(body: unknown): body is Answer {
  return typeof body === "object" && body !== null && "status" in body && "body" in body;
}

/** One kind of a {@link servedKinds}. */
export interface FakeKind {
  readonly kind: string;
  readonly items: readonly object[];
}

/** Discovery and lists of kinds, by `group/version/plural`, as {@link fakeApi} takes them. */
export function servedKinds(kinds: Readonly<Record<string, FakeKind>>): FakeAnswers {
  const entries = Object.entries(kinds).map(([key, kind]) => {
    const [group = "", version = "", plural = ""] = key.split("/");
    return { group, version, plural, ...kind };
  });
  const answers: Record<string, unknown> = {};
  for (const { group, version, plural, items } of entries) {
    const served = entries.filter((other) => other.group === group);
    const versions = [...new Set(served.map((other) => other.version))];
    answers[`/apis/${group}`] = { versions: versions.map((name) => ({ version: name })) };
    answers[`/apis/${group}/${version}`] = {
      resources: served
        .filter((other) => other.version === version)
        .flatMap(({ plural: name, kind }) => [
          { name, kind },
          { name: `${name}/status`, kind },
        ]),
    };
    answers[`/apis/${group}/${version}/${plural}`] = { items };
  }
  return answers;
}
