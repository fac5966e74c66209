import type { ReportViolation, ResourceValidationArgs } from "@pulumi/policy";
import { z } from "zod";
import { check } from "../compat/check.ts";
import { rulesOf } from "../compat/rules-of.ts";
import type { Selection } from "../compat/rule.ts";
import { FEATURES } from "../config/features.ts";
import { INGRESS_TYPES, MODES } from "../config/schema.ts";
import { formatProblem } from "../problems/problem.ts";
import { loadCatalog } from "../versions/catalog.ts";
import { PRODUCTS } from "../versions/schema.ts";
import { knownValues } from "./known-values.ts";

/** What a layer tells about itself (`LayerContract` in plan/plan.ts, and what it really stands on). */
const contractSchema = z.object({
  product: z.enum(PRODUCTS),
  version: z.string(),
  mode: z.enum(MODES),
  ingress: z.enum(INGRESS_TYPES),
  kubernetes: z.string().optional(),
  operatorVersion: z.string().optional(),
  standsOn: z.partialRecord(z.enum(PRODUCTS), z.string()),
  features: z.array(z.enum(FEATURES)).optional(),
  acknowledge: z.array(z.object({ rule: z.string(), reason: z.string() })),
});

interface Config {
  readonly allowAcknowledgements: boolean;
}

const catalog = loadCatalog();

/** What the rules say of one layer; the form of what it tells is checked too. */
export function judgeLayer(args: ResourceValidationArgs, reportViolation: ReportViolation): void {
  const contract = contractSchema.safeParse(knownValues(args.props));
  if (!contract.success) {
    reportViolation(
      `[compatibility-layer-contract] ${args.name} does not say what it installs and stands on: ${z.prettifyError(contract.error)}`,
    );
    return;
  }
  const { acknowledge } = contract.data;
  const { allowAcknowledgements } = {
    allowAcknowledgements: true,
    ...args.getConfig<Partial<Config>>(),
  };
  const problems = check(selectionOf(contract.data), {
    acknowledge: allowAcknowledgements ? acknowledge : [],
    rules: rulesOf(catalog),
    offers: (subject) => (subject === "kubernetes" ? [] : catalog.versions(subject)),
  });
  for (const problem of problems) {
    if (problem.level === "block") reportViolation(formatProblem(problem, args.name));
  }
}

function selectionOf(contract: z.infer<typeof contractSchema>): Selection {
  const { kubernetes, operatorVersion } = contract;
  return {
    versions: {
      ...contract.standsOn,
      [contract.product]: contract.version,
      ...(kubernetes === undefined ? {} : { kubernetes }),
      ...(operatorVersion === undefined ? {} : { "knative-operator": operatorVersion }),
    },
    mode: contract.mode,
    ingress: contract.ingress,
    features: contract.features,
  };
}
