import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { operate, openStack } from "./session.ts";
import type { Session } from "./session.ts";
import type { PulumiResult } from "./pulumi.ts";

/** Stack of the proof; it is only ever previewed. */
const STACK = "refused";

/**
 * Versions that no published row holds together: KServe 0.15.2 with an Istio and a Gateway API that are too new.
 * They are acknowledged, so that the program itself lets them pass and the policy pack has to stand alone.
 */
const INCOMPATIBLE = {
  kserve: { version: "0.15.2" },
  istio: { version: "1.28.10" },
  gatewayApi: { version: "1.5.1" },
  acknowledge: ["compat-kserve-istio", "compat-kserve-gateway-api", "compat-kserve-kubernetes"].map(
    (rule) => ({
      rule,
      reason: "shown by the sandbox: the policy pack refuses it all the same",
    }),
  ),
};

/** Previews the incompatible stack with acknowledgements switched off in the pack; changes nothing. */
export async function proveRefusal(session: Session, stackFile: string): Promise<PulumiResult> {
  await openStack(session, { name: STACK, file: stackFile }, INCOMPATIBLE);
  const config = join(session.layout.project, "strict-policies.json");
  await writeFile(
    config,
    JSON.stringify({ "compatibility-layer-versions": { allowAcknowledgements: false } }),
  );
  return operate(session, {
    command: "preview",
    stack: STACK,
    args: ["--policy-pack-config", config],
  });
}

/** The violations in the engine's output: each headline with what follows it, once. */
export function refusals(output: string): string[] {
  const blocks = output.matchAll(
    /^[ \t]+(\[compat-[^\n]*)\n((?:[ \t]+(?:found|allowed|source):[^\n]*\n)+)/gm,
  );
  const texts = [...blocks].map(
    ([, headline = "", rest = ""]) => `${headline}\n${rest.replace(/^[ \t]+/gm, "  ")}`,
  );
  return [...new Set(texts.map((text) => text.trimEnd()))];
}
