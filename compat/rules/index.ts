import type { Rule } from "../rule.ts";
import { END_OF_LIFE_RULES } from "./end-of-life.ts";
import { KNOWN_BAD_RULES } from "./known-bad.ts";
import { KSERVE_RULES } from "./kserve.ts";
import { KUBERNETES_RULES } from "./kubernetes.ts";
import { NEIGHBOUR_RULES } from "./neighbours.ts";

/** Every compatibility rule, the one source for the loader, the policy pack and the docs. */
export const RULES: readonly Rule[] = [
  ...KSERVE_RULES,
  ...KUBERNETES_RULES,
  ...NEIGHBOUR_RULES,
  ...KNOWN_BAD_RULES,
  ...END_OF_LIFE_RULES,
];
