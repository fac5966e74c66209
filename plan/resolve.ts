import { check, today, unusedAcknowledgements } from "../compat/check.ts";
import { carries, describeWindow } from "../compat/operator.ts";
import { rulesOf } from "../compat/rules-of.ts";
import type { Selection } from "../compat/rule.ts";
import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import { passes } from "../problems/problem.ts";
import type { Catalog } from "../versions/catalog.ts";
import { checkAutoscaling } from "./autoscaling.ts";
import { checkCharts } from "./charts.ts";
import { imageSources, mirrorLayout, networkPluginRelease, planImages } from "./images.ts";
import { checkFeatures } from "./features.ts";
import { checkHosts, isHostRule } from "./hosts.ts";
import { checkIngress, resolveIngress } from "./ingress.ts";
import { planEnvoyProxy, planKnativeServing, planLayers } from "./layers.ts";
import type { PlanContext } from "./layers.ts";
import type { Plan, PlannedImage, ResolvedIngress } from "./plan.ts";
import { checkStorageCa } from "./registry.ts";
import { lostCertManagerValues } from "./values/cert-manager.ts";
import { selectVersions } from "./selection.ts";

/** A plan, or what stands in its way. Warnings come with a plan. */
export type Resolution =
  | { readonly plan: Plan; readonly problems: readonly Problem[] }
  | { readonly plan?: undefined; readonly problems: readonly Problem[] };

/** What `resolve` may be told besides settings and catalog. */
export interface ResolveOptions {
  /** Day for which dated rules are judged, `YYYY-MM-DD`. @default today (UTC) */
  readonly asOf?: string;
}

/**
 * Settings and catalog to Plan: no cluster, no network, no Pulumi. The same input gives the same plan; only what dated
 * rules say of it changes with the day.
 * Reports everything that is wrong at once, compatibility included.
 */
export function resolve(
  settings: Settings,
  catalog: Catalog,
  options: ResolveOptions = {},
): Resolution {
  const asOf = options.asOf ?? today();
  const ingress = resolveIngress(settings, catalog);
  const ingressProblems = checkIngress(settings, ingress, catalog);
  if (ingressProblems.length > 0) return { problems: ingressProblems };
  const { selection: chosen, problems: unknown } = selectVersions(settings, ingress, catalog);
  const selection = withNetworkPlugin(chosen, ingress, catalog);
  const fit = checkFit(selection, settings, { catalog, asOf });
  // Without a row there is nothing to plan with; what the rules say about the rest is still worth reading.
  if (unknown.length > 0) return { problems: [...unknown, ...fit] };
  const missing = [
    ...checkMode(selection, settings, catalog),
    ...checkModelMesh(settings),
    ...checkAutoscaling(settings),
    ...checkFeatures(selection, settings, catalog),
    ...checkOperator(selection, ingress, catalog),
    ...lostCertManagerValues(settings.certManager.values),
    ...checkCharts(settings.charts),
    ...checkStorageCa(catalog.get("kserve", selection.versions.kserve ?? ""), settings),
  ];
  const {
    images,
    map,
    problems: imageProblems,
  } = planImages(imageSources(selection.versions, ingress, catalog), settings, catalog);
  const found = [...missing, ...fit, ...imageProblems];
  if (!passes(found)) return { problems: found };
  const plan = buildPlan({ settings, selection, ingress, catalog, map }, images);
  const problems = [...found, ...checkHostsOf(plan, asOf)];
  return passes(problems) ? { plan, problems } : { problems };
}

function buildPlan(parts: Omit<PlanContext, "pullSecret">, images: readonly PlannedImage[]): Plan {
  const { settings, selection, ingress, map } = parts;
  const pullSecret = settings.registry?.pullSecret?.name;
  const context: PlanContext = { ...parts, pullSecret };
  const mirror = mirrorLayout(settings);
  const knativeServing = planKnativeServing(context);
  const envoyProxy = planEnvoyProxy(context);
  return {
    settings,
    selection,
    ingress,
    layers: planLayers(context),
    images,
    imageMap: map,
    ...(knativeServing === undefined ? {} : { knativeServing }),
    ...(envoyProxy === undefined ? {} : { envoyProxy }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(pullSecret === undefined ? {} : { pullSecret }),
  };
}

/** Hosts that close, and acknowledgements of them that nothing needs. */
function checkHostsOf(plan: Plan, asOf: string): Problem[] {
  const { settings } = plan;
  const hosts = checkHosts(plan, settings, asOf);
  const acknowledged = settings.acknowledge.filter((item) => isHostRule(item.rule));
  return [...hosts, ...unusedAcknowledgements(acknowledged, hosts)];
}

/** The network plugin that the operator brings is part of what has to fit, though nobody chooses it. */
function withNetworkPlugin(
  selection: Selection,
  ingress: ResolvedIngress,
  catalog: Catalog,
): Selection {
  const plugin = networkPluginRelease(selection.versions, ingress, catalog);
  if (plugin === undefined) return selection;
  return { ...selection, versions: { ...selection.versions, [plugin.product]: plugin.version } };
}

function checkFit(
  selection: Selection,
  settings: Settings,
  { catalog, asOf }: { readonly catalog: Catalog; readonly asOf: string },
): Problem[] {
  const problems = check(selection, {
    acknowledge: settings.acknowledge,
    rules: rulesOf(catalog),
    asOf,
    offers: (subject) => (subject === "kubernetes" ? [] : catalog.versions(subject)),
  });
  // Rules about Kubernetes cannot fire before the cluster's version is known; their acknowledgements must wait too.
  const known = selection.versions.kubernetes !== undefined;
  const acknowledged = settings.acknowledge.filter(
    (item) => (known || !item.rule.endsWith("-kubernetes")) && !isHostRule(item.rule),
  );
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

/** ModelMesh keeps its state in an etcd that KServe's chart does not bring. */
function checkModelMesh(settings: Settings): Problem[] {
  if (settings.mode !== "ModelMesh") return [];
  return [
    {
      code: "config-modelmesh-etcd",
      level: "warn",
      where: "kserve:mode",
      found: `ModelMesh, whose controller reads the secret model-serving-etcd in ${settings.namespaces.kserve}`,
      allowed: "an etcd of yours, named in that secret; this program installs neither",
      source: "kserve/kserve@v0.14.1:charts/kserve-resources/templates/modelmesh",
      fix: "create the secret before the first pulumi up",
    },
  ];
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
  const plugin = networkPluginRelease(selection.versions, ingress, catalog);
  if (carries(operator, serving) && plugin !== undefined) return [];
  return [
    {
      code: "compat-knative-operator-carries",
      level: "block",
      where: "kserve:knative.version",
      found: `Knative Serving ${serving} with operator ${operatorVersion}${plugin === undefined ? ` and ingress ${ingress.type}` : ""}`,
      allowed: `what operator ${operatorVersion} carries: ${describeWindow(operator)}`,
      source: operator.carriesSource,
      fix: "set kserve:knative.version or kserve:knative.operatorVersion accordingly",
    },
  ];
}
