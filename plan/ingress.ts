import type { Settings } from "../config/schema.ts";
import type { Problem } from "../problems/problem.ts";
import type { ResolvedIngress } from "./plan.ts";

/** Which ingress types a mode can use. */
const TYPES_BY_MODE = {
  Serverless: ["istio", "kourier"],
  RawDeployment: ["istio", "gateway-class", "ingress-class", "none"],
} as const;

const DEFAULT_TYPE = { Serverless: "istio", RawDeployment: "gateway-class" } as const;

/** Our own GatewayClass for Istio: istiod serves every class of its controller and keeps `istio` for itself. */
const ISTIO_CLASS = {
  className: "kserve-ingress",
  controllerName: "istio.io/gateway-controller",
} as const;

/** Class names when the stack file gives none: the class of KServe's own examples, and the common ingress class. */
const DEFAULT_CLASS = { "gateway-class": "envoy", "ingress-class": "nginx" } as const;

/** Fills in the ingress choice of a stack. */
export function resolveIngress(settings: Settings): ResolvedIngress {
  const { ingress } = settings;
  const type = ingress.type ?? DEFAULT_TYPE[settings.mode];
  if (type === "istio") {
    return { type, ...ISTIO_CLASS, gateway: ingress.gateway ?? true };
  }
  if (type === "gateway-class") {
    return {
      type,
      className: ingress.className ?? DEFAULT_CLASS[type],
      ...(ingress.controllerName === undefined ? {} : { controllerName: ingress.controllerName }),
      gateway: ingress.gateway ?? true,
    };
  }
  if (type === "ingress-class")
    return { type, className: ingress.className ?? DEFAULT_CLASS[type], gateway: false };
  return { type, gateway: false };
}

/** Combinations of mode and ingress that cannot work. */
export function checkIngress(settings: Settings, ingress: ResolvedIngress): Problem[] {
  const allowed: readonly string[] = TYPES_BY_MODE[settings.mode];
  if (allowed.includes(ingress.type)) return [];
  return [
    {
      code: "config-ingress-mode",
      level: "block",
      where: "kserve:ingress.type",
      found: `${JSON.stringify(ingress.type)} with mode ${settings.mode}`,
      allowed: `${allowed.map((type) => JSON.stringify(type)).join(" | ")} with mode ${settings.mode}`,
      fix: `set kserve:ingress.type to "${DEFAULT_TYPE[settings.mode]}", or change kserve:mode`,
    },
  ];
}
