import type { IngressType, Mode, Settings } from "../config/schema.ts";
import type { Catalog } from "../versions/catalog.ts";
import type { ReleaseOf } from "../versions/schema.ts";
import type { Problem } from "../problems/problem.ts";
import type { ResolvedIngress } from "./plan.ts";

/** Which ingress types a mode can use. */
const TYPES_BY_MODE = {
  Serverless: ["istio", "kourier"],
  RawDeployment: ["istio", "envoy", "gateway-class", "ingress-class", "none"],
  // ModelMesh answers at a Service of its own; KServe makes no ingress objects for it.
  ModelMesh: ["none"],
} as const;

/** The ingress type of a stack that names none. KServe knows Gateway API from 0.15 on, which is catalog data. */
function defaultType(mode: Mode, gatewayApi: boolean): IngressType {
  if (mode === "Serverless") return "istio";
  if (mode === "ModelMesh") return "none";
  return gatewayApi ? "gateway-class" : "ingress-class";
}

/** Whether this release of KServe can write Gateway API routes. */
function knowsGatewayApi(release: ReleaseOf<"kserve"> | undefined): boolean {
  return release === undefined || release.values.keys["enableGatewayApi"] !== undefined;
}

/** The KServe release that a stack is about; `undefined` when the catalog has no row for it. */
function kserveOf(settings: Settings, catalog: Catalog): ReleaseOf<"kserve"> | undefined {
  return catalog.find("kserve", settings.kserve.version ?? catalog.defaultSet.kserve);
}

/** Our own GatewayClass for Istio: istiod serves every class of its controller and keeps `istio` for itself. */
const ISTIO_CLASS = {
  className: "kserve-ingress",
  controllerName: "istio.io/gateway-controller",
} as const;

/** Envoy Gateway's own name for itself, and the class of KServe's own examples (envoyproxy/gateway@v1.9.0:api/v1alpha1/envoygateway_types.go). */
const ENVOY_CLASS = {
  className: "envoy",
  controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
} as const;

/** Class names when the stack file gives none: the class of KServe's own examples, and the common ingress class. */
const DEFAULT_CLASS = { "gateway-class": "envoy", "ingress-class": "nginx" } as const;

/** Fills in the ingress choice of a stack. */
export function resolveIngress(settings: Settings, catalog: Catalog): ResolvedIngress {
  const { ingress } = settings;
  const gatewayApi = knowsGatewayApi(kserveOf(settings, catalog));
  const type = ingress.type ?? defaultType(settings.mode, gatewayApi);
  if (type === "istio") {
    return { type, ...ISTIO_CLASS, gateway: ingress.gateway ?? true };
  }
  if (type === "envoy" || type === "gateway-class") return gatewayClass(type, settings);
  if (type === "ingress-class")
    return { type, className: ingress.className ?? DEFAULT_CLASS[type], gateway: false };
  return { type, gateway: false };
}

/** A class that the stack may name itself; with Envoy Gateway its controller is known, else only when the stack tells. */
function gatewayClass(type: "envoy" | "gateway-class", settings: Settings): ResolvedIngress {
  const known = type === "envoy" ? ENVOY_CLASS : { className: DEFAULT_CLASS[type] };
  const { className, controllerName, gateway = true } = settings.ingress;
  return {
    type,
    ...known,
    ...(className === undefined ? {} : { className }),
    ...(controllerName === undefined ? {} : { controllerName }),
    gateway,
  };
}

/** Combinations of mode, release and ingress that cannot work. */
export function checkIngress(
  settings: Settings,
  ingress: ResolvedIngress,
  catalog: Catalog,
): Problem[] {
  const release = kserveOf(settings, catalog);
  const allowed: readonly string[] = TYPES_BY_MODE[settings.mode];
  const needsRoutes =
    settings.mode === "RawDeployment" && ["istio", "envoy", "gateway-class"].includes(ingress.type);
  if (needsRoutes && release !== undefined && !knowsGatewayApi(release))
    return [withoutGatewayApi(release, ingress.type)];
  if (allowed.includes(ingress.type)) return [];
  return [
    {
      code: "config-ingress-mode",
      level: "block",
      where: "kserve:ingress.type",
      found: `${JSON.stringify(ingress.type)} with mode ${settings.mode}`,
      allowed: `${allowed.map((type) => JSON.stringify(type)).join(" | ")} with mode ${settings.mode}`,
      fix: `set kserve:ingress.type to "${defaultType(settings.mode, knowsGatewayApi(release))}", or change kserve:mode`,
    },
  ];
}

/** Raw deployments are reached through Gateway API routes here, with Istio too; releases up to 0.14 write none. */
function withoutGatewayApi(release: ReleaseOf<"kserve">, type: IngressType): Problem {
  return {
    code: "catalog-ingress-unsupported",
    level: "block",
    where: "kserve:ingress.type",
    found: `"${type}" with mode RawDeployment and KServe ${release.version}, which writes no Gateway API routes`,
    allowed: '"ingress-class" | "none" with this release',
    source: release.values.source,
    fix: 'set kserve:ingress.type to "ingress-class", or kserve:kserve.version to 0.15 or newer',
  };
}
