import { operate } from "../session/session.ts";
import type { Session } from "../session/session.ts";
import type { PulumiResult } from "../session/pulumi.ts";
import { openGapStack } from "./gap.ts";
import type { Gap, GapStack } from "./gap.ts";

/** Stack of the proof; it is only ever previewed. */
const STACK = "refused";

/**
 * Values that take one override out again: cert-manager's solver of ACME challenges is named by no resource, its
 * controller makes the pods. Every mode has it.
 */
export const FORGOTTEN = {
  image: "quay.io/jetstack/cert-manager-acmesolver",
  config: {
    certManager: {
      values: {
        acmesolver: { image: { repository: "quay.io/jetstack/cert-manager-acmesolver" } },
      },
    },
  },
} as const;

/** Previews the stack with one override taken out; changes nothing. */
export async function proveForgotten(
  session: Session,
  gap: Gap,
  stack: GapStack & { readonly images: Readonly<Record<string, string>> },
): Promise<PulumiResult> {
  const { images, ...file } = stack;
  await openGapStack(session, gap, { ...file, name: STACK }, { images, config: FORGOTTEN.config });
  return operate(session, { command: "preview", stack: STACK });
}
