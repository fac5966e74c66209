import { inventory } from "../session/inventory.ts";
import type { InventoryRow } from "../session/inventory.ts";
import type { Session } from "../session/session.ts";
import type { Filled } from "./fill.ts";
import type { Gap } from "./gap.ts";

/** What of a sandbox with an air gap is real. */
export function airgapInventory(session: Session, gap: Gap, filled: Filled): InventoryRow[] {
  const { tool, registry } = gap;
  return [
    ...inventory(session),
    {
      part: "registry",
      what: `distribution ${tool.version} (${tool.origin}) on ${registry.host}: TLS, private CA, password`,
      real: "real",
    },
    ...imageRows(filled),
    {
      part: "way out",
      what: "a proxy that refuses: only programs that heed HTTPS_PROXY are kept inside by it",
      real: "simulated",
    },
  ];
}

function imageRows({ images: { real, built, server, standIn } }: Filled): InventoryRow[] {
  const loaded: InventoryRow = {
    part: "images",
    what: `${String(real)} from a bundle`,
    real: "real",
  };
  const made: InventoryRow = {
    part: "images",
    what: `${String(built)} built here from what package registries carry`,
    real: "real",
  };
  const servers: InventoryRow = {
    part: "images",
    what: `${String(server)} working ones built here in place of upstream's own`,
    real: "stand-in",
  };
  const empty: InventoryRow = {
    part: "images",
    what: `${String(standIn)} empty ones under the right names`,
    real: "stand-in",
  };
  return [
    ...(real > 0 ? [loaded] : []),
    ...(built > 0 ? [made] : []),
    ...(server > 0 ? [servers] : []),
    ...(standIn > 0 ? [empty] : []),
  ];
}
