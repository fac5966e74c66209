import { check, unusedAcknowledgements } from "../compat/check.ts";
import type { Selection } from "../compat/rule.ts";
import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import { passes } from "../problems/problem.ts";
import type { Catalog } from "../versions/catalog.ts";
import { imageSources, mirrorLayout, networkPluginRelease, planImages } from "./images.ts";
import { checkIngress, resolveIngress } from "./ingress.ts";
import { planKnativeServing, planLayers } from "./layers.ts";
import type { Plan, ResolvedIngress } from "./plan.ts";
import { lostCertManagerValues } from "./values/cert-manager.ts";
import { selectVersions } from "./selection.ts";

/** A plan, or what stands in its way. Warnings come with a plan. */
export type Resolution =
  | { readonly plan: Plan; readonly problems: readonly Problem[] }
  | { readonly plan?: undefined; readonly problems: readonly Problem[] };

/**
 * Settings and catalog to Plan. Pure: the same input gives the same plan, no cluster, no network, no Pulumi.
 * Reports everything that is wrong at once, compatibility included.
 */
export function resolve(settings: Settings, catalog: Catalog): Resolution {
  const ingress = resolveIngress(settings);
  const ingressProblems = checkIngress(settings, ingress);
  if (ingressProblems.length > 0) return { problems: ingressProblems };
  const { selection, problems: unknown } = selectVersions(settings, ingress, catalog);
  const fit = checkFit(selection, settings, catalog);
  // Without a row there is nothing to plan with; what the rules say about the rest is still worth reading.
  if (unknown.length > 0) return { problems: [...unknown, ...fit] };
  const missing = [
    ...checkMode(selection, settings, catalog),
    ...checkOperator(selection, ingress, catalog),
    ...lostCertManagerValues(settings.certManager.values),
  ];
  const {
    images,
    map,
    problems: imageProblems,
  } = planImages(imageSources(selection.versions, ingress, catalog), settings, catalog);
  const problems = [...missing, ...fit, ...imageProblems];
  if (!passes(problems)) return { problems };
  const mirror = mirrorLayout(settings);
  const pullSecret = settings.registry?.pullSecret?.name;
  const context = { settings, selection, ingress, catalog, map, pullSecret };
  const knativeServing = planKnativeServing(context);
  return {
    plan: {
      settings,
      selection,
      ingress,
      layers: planLayers(context),
      images,
      imageMap: map,
      ...(knativeServing === undefined ? {} : { knativeServing }),
      ...(mirror === undefined ? {} : { mirror }),
      ...(pullSecret === undefined ? {} : { pullSecret }),
    },
    problems,
  };
}

function checkFit(selection: Selection, settings: Settings, catalog: Catalog): Problem[] {
  const problems = check(selection, {
    acknowledge: settings.acknowledge,
    offers: (subject) => (subject === "kubernetes" ? [] : catalog.versions(subject)),
  });
  // Rules about Kubernetes cannot fire before the cluster's version is known; their acknowledgements must wait too.
  const known = selection.versions.kubernetes !== undefined;
  const acknowledged = known
    ? settings.acknowledge
    : settings.acknowledge.filter((item) => !item.rule.endsWith("-kubernetes"));
  return [...problems, ...unusedAcknowledgements(acknowledged, problems)];
}

function checkMode(selection: Selection, settings: Settings, catalog: Catalog): Problem[] {
  const release = catalog.get("kserve", selection.versions.kserve ?? "");
  if (release.modes.spelling[settings.mode] !== undefined) return [];
  return [
    {
      code: "catalog-mode-unsupported",
      level: "block",
      where: "kserve:mode",
      found: `${settings.mode} with KServe ${release.version}`,
      allowed: Object.keys(release.modes.spelling).join(" | "),
      source: release.modes.source,
      fix: "change kserve:mode or kserve:kserve.version",
    },
  ];
}

/** Below every patch number when the operator carries nothing of that minor. */
function newestPatch(carried: { readonly newest: string } | undefined): number {
  return Number(carried?.newest.split(".")[2] ?? -1);
}

/** The operator only installs Serving versions that it carries inside, and with them one network plugin each. */
function checkOperator(
  selection: Selection,
  ingress: ResolvedIngress,
  catalog: Catalog,
): Problem[] {
  const operatorVersion = selection.versions["knative-operator"];
  const serving = selection.versions["knative-serving"];
  if (operatorVersion === undefined || serving === undefined) return [];
  const operator = catalog.get("knative-operator", operatorVersion);
  const [major = "", minor = "", patch = "0"] = serving.split(".");
  const carried = operator.carries[`${major}.${minor}`];
  const plugin = networkPluginRelease(selection.versions, ingress, catalog);
  if (Number(patch) <= newestPatch(carried) && plugin !== undefined) return [];
  return [
    {
      code: "compat-knative-operator-carries",
      level: "block",
      where: "kserve:knative.version",
      found: `Knative Serving ${serving} with operator ${operatorVersion}${carried === undefined || plugin !== undefined ? "" : ` and ingress ${ingress.type}`}`,
      allowed: `what operator ${operatorVersion} carries: ${Object.values(operator.carries)
        .map((item) => `up to ${item.newest}`)
        .join(", ")}`,
      source: operator.carriesSource,
      fix: "set kserve:knative.version or kserve:knative.operatorVersion accordingly",
    },
  ];
}
