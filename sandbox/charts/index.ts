/**
 * Stand-in charts for places that the upstream chart hosts cannot be reached from.
 *
 * They carry what an installer can get wrong: names, kinds, namespaces, labels, definitions, images at upstream's value
 * paths, hooks, keep annotations, webhooks. They carry no controllers; the sandbox's stages give objects their status.
 */
import { join } from "node:path";
import { certManagerStandIns } from "./cert-manager.ts";
import { envoyGatewayStandIns } from "./envoy-gateway.ts";
import { gatewayApiStandIns } from "./gateway-api.ts";
import { istioStandIns } from "./istio.ts";
import { knativeOperatorStandIns } from "./knative-operator.ts";
import { kserveStandIns } from "./kserve.ts";
import type { Release, StandIns } from "./model.ts";
import { chartFiles, chartFolder, manifestText, writeFolder, writeWhole } from "./write.ts";

const NOTHING: StandIns = { charts: [], manifests: [] };

/** The stand-ins of one release; products that an operator carries inside have none. */
export function standIns(release: Release): StandIns {
  switch (release.product) {
    case "gateway-api":
      return gatewayApiStandIns(release);
    case "cert-manager":
      return certManagerStandIns(release);
    case "istio":
      return istioStandIns(release);
    case "envoy-gateway":
      return envoyGatewayStandIns(release);
    case "knative-operator":
      return knativeOperatorStandIns(release);
    case "kserve":
      return kserveStandIns(release);
    default:
      return NOTHING;
  }
}

async function writeRelease(dir: string, release: Release): Promise<string[]> {
  const { charts, manifests } = standIns(release);
  const written: string[] = [];
  for (const chart of charts) {
    const target = join(dir, chartFolder(chart));
    await writeFolder(target, chartFiles(chart));
    written.push(target);
  }
  for (const manifest of manifests) {
    const target = join(dir, manifest.file);
    await writeWhole(target, manifestText(manifest));
    written.push(target);
  }
  return written;
}

/**
 * Writes `<dir>/<chart>-<version>/` and the manifest files of the given releases, and returns their paths.
 *
 * Running it again changes nothing; a chart is replaced whole, so a reader never sees half of one.
 */
export async function writeStandInCharts(o: {
  dir: string;
  releases: readonly Release[];
}): Promise<readonly string[]> {
  const written: string[] = [];
  for (const release of o.releases) written.push(...(await writeRelease(o.dir, release)));
  return written;
}
