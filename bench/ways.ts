import type { Usage } from "./usage.ts";

/** What is timed, in the order in which one round does it. */
export const OPERATIONS = [
  "install",
  "nothing to do",
  "preview",
  "one value changed",
  "uninstall",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A stack that both ways install. */
export interface Scenario {
  /** As users call the mode. */
  readonly name: "Serverless" | "RawDeployment";
  /** Keys of the namespace `kserve:` over the stack file. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The same with one value changed: a Deployment's replicas, the smallest change that reaches a pod. */
  readonly changed: Readonly<Record<string, unknown>>;
}

/** One way of getting a stack onto a cluster and off it again. */
export interface Way {
  readonly name: "helm" | "pulumi";
  /** Runs one operation; `undefined` where this way has none (helm previews nothing). */
  run(operation: Operation, scenario: Scenario): Promise<Usage | undefined>;
}

const SERVERLESS = { mode: "Serverless", ingress: { type: "istio" } };
const RAW = { mode: "RawDeployment", ingress: { type: "gateway-class" } };
const CHANGE = { certManager: { replicas: 2 } };

/** The scenarios of the benchmark: the default set in both modes. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "Serverless", config: SERVERLESS, changed: { ...SERVERLESS, ...CHANGE } },
  { name: "RawDeployment", config: RAW, changed: { ...RAW, ...CHANGE } },
];
