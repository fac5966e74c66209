import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PRODUCTS } from "./schema.ts";

/**
 * An object that a webhook judges, to ask the API server with whether the webhook answers: it is sent as a server-side
 * dry run, so nothing is stored. It need not be allowed: a denial by the webhook is an answer, too. But it has to pass the
 * schema of its kind, which is looked at before validating webhooks are called. Of several versions of a kind the one that
 * is stored comes first: it needs no conversion.
 */
const probe = z.strictObject({
  product: z.enum(PRODUCTS),
  /** Names of the webhooks that judge it. */
  webhooks: z.array(z.string().min(1)).min(1),
  /** Resource in the path of the API, and as rules of webhooks name it. */
  resource: z.string().regex(/^[a-z]+(\/[a-z]+)?$/),
  scope: z.enum(["Namespaced", "Cluster"]),
  object: z.looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.strictObject({
      name: z.string(),
      labels: z.record(z.string(), z.string()).optional(),
    }),
  }),
  source: z.string().min(1),
});

/** A line in the log of a running pod that says why its webhook will never answer. */
const symptom = z.strictObject({
  product: z.enum(PRODUCTS),
  log: z.string().min(10),
  /** What the line means. */
  means: z.string().min(20),
  /** Command; `{namespace}` and `{workload}` (`deployment/name`) are filled in. */
  fix: z.string().min(1),
  source: z.string().min(1),
});

const fileSchema = z.strictObject({ probes: z.array(probe), symptoms: z.array(symptom) });

export type Probe = z.infer<typeof probe>;
export type Symptom = z.infer<typeof symptom>;
export type Probes = z.infer<typeof fileSchema>;

let ours: Probes | undefined;

/** What webhooks are asked with, read once and only by a run that asks. Throws where the file breaks its form. */
export function loadProbes(): Probes {
  const path = join(import.meta.dirname, "probes.json");
  ours ??= fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  return ours;
}
