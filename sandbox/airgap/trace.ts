import type { AccessEntry } from "../registry/access-log.ts";
import type { RefusedRequest } from "./refusing-proxy.ts";

/** Who asked whom, how often. */
export interface TraceRow {
  /** The client, as it calls itself. */
  readonly by: string;
  readonly to: string;
  readonly requests: number;
  readonly answer: "answered" | "refused";
}

/** Sums requests up: those that the registry answered, then those that wanted to go elsewhere. */
export function traceRows(
  registry: string,
  answered: readonly Pick<AccessEntry, "agent">[],
  refused: readonly RefusedRequest[],
): TraceRow[] {
  return [
    ...rows(
      answered.map(({ agent }) => ({ agent, host: registry })),
      "answered",
    ),
    ...rows(refused, "refused"),
  ];
}

function rows(requests: readonly RefusedRequest[], answer: TraceRow["answer"]): TraceRow[] {
  const groups = Map.groupBy(requests, ({ agent, host }) => `${program(agent)}\n${host}`);
  return [...groups]
    .sort(([one], [two]) => (one < two ? -1 : 1))
    .map(([key, group]) => {
      const [by = "", to = ""] = key.split("\n");
      return { by, to, requests: group.length, answer };
    });
}

/** `Helm/3.19.0 (linux)` is `Helm/3.19.0`. */
function program(agent: string): string {
  const [first = ""] = agent.split(" ", 1);
  return first === "" || first === "-" ? "unnamed" : first;
}
