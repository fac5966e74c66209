import type { V1Service } from "@kubernetes/client-node";

const LAST = 254;

/**
 * Services that want an address of a load balancer and have none, each with a free one of the /24. A Service that names
 * a class wants another load balancer. When none is free the rest waits until one is given back.
 */
export function missingAddresses(
  services: readonly V1Service[],
  prefix: string,
): [V1Service, string][] {
  const taken = new Set(services.flatMap(addressesOf));
  const free = Array.from({ length: LAST }, (_, index) => `${prefix}${index + 1}`).filter(
    (address) => !taken.has(address),
  );
  return services
    .filter((service) => wantsAddress(service) && addressesOf(service).length === 0)
    .slice(0, free.length)
    .map((service, index) => [service, free[index] ?? ""]);
}

function wantsAddress({ spec, metadata }: V1Service): boolean {
  const leaving = metadata?.deletionTimestamp !== undefined;
  return spec?.type === "LoadBalancer" && spec.loadBalancerClass === undefined && !leaving;
}

function addressesOf({ status }: V1Service): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}
