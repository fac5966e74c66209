import { CLOSING_HOSTS, closingHost } from "../compat/hosts.ts";
import type { ClosingHost } from "../compat/hosts.ts";
import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import type { Plan, PlannedChart } from "./plan.ts";

interface Use {
  readonly where: string;
  readonly reference: string;
}

/** True for ids that `checkHosts` reports; the rules know nothing of them. */
export function isHostRule(id: string): boolean {
  return CLOSING_HOSTS.some((host) => host.id === id);
}

/**
 * Everything a plan takes from a registry or chart host that closes: charts, images, and references that the stack file
 * itself writes into chart values. One problem per host.
 */
export function checkHosts(
  plan: Pick<Plan, "layers" | "images">,
  settings: Settings,
  asOf: string,
): Problem[] {
  const uses = [
    ...plan.layers.flatMap((layer) => layer.charts.flatMap(usesOfChart)),
    ...plan.images.map((image) => ({ where: "kserve:registry.host", reference: image.upstream })),
  ];
  const found = new Map<ClosingHost, Use>();
  for (const use of uses) {
    const host = closingHost(use.reference);
    if (host !== undefined && !found.has(host)) found.set(host, use);
  }
  return [...found].flatMap(([host, use]) => describe(host, use, settings, asOf));
}

function usesOfChart(chart: PlannedChart): Use[] {
  const { location, values } = chart;
  return [
    { where: "kserve:charts", reference: location.repo ?? location.chart },
    ...strings(values).map((reference) => ({ where: `values of ${chart.name}`, reference })),
  ];
}

/** Every string inside chart values, at any depth. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(strings);
}

function describe(host: ClosingHost, use: Use, settings: Settings, asOf: string): Problem[] {
  const reason = settings.acknowledge.find((item) => item.rule === host.id)?.reason;
  const closed = host.closes <= asOf;
  return [
    {
      code: host.id,
      level: closed && reason === undefined ? host.level : "warn",
      where: use.where,
      found: `${use.reference}, from a host that ${closed ? "closed" : "closes"} on ${host.closes}`,
      allowed: host.instead,
      source: host.source,
      fix: `take it from ${host.instead}, or from a mirror of yours that already holds it`,
      ...(reason === undefined ? {} : { acknowledged: reason }),
    },
  ];
}
