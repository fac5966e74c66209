import { at, listAt, nameOf, namespaceOf, textAt } from "../object.ts";
import { isObject } from "../value.ts";
import type { Objects } from "../api/objects.ts";
import type { Json, JsonObject } from "../value.ts";
import type { Judge, Look } from "./poll.ts";

/** Time that endpoints must stay as they are, in milliseconds (provider/pkg/await/service.go). */
const SETTLE_MS = 10_000;

/** When endpoints were seen to change; every change starts the time anew. */
export class Settling {
  readonly #changes: number[] = [];
  #seen = "";

  /** Takes a look at the endpoints' version. */
  look(version: string, now: number): void {
    if (version === "" || version === this.#seen) return;
    this.#seen = version;
    this.#changes.push(now);
  }

  /** True once the time of some change has passed after the last one came. */
  isSettled(now: number): boolean {
    const last = this.#changes.at(-1);
    return (
      last !== undefined &&
      this.#changes.some((change) => change + SETTLE_MS > last && change + SETTLE_MS <= now)
    );
  }
}

/**
 * A Service is ready when its load balancer has an address and its endpoints settled with none that is not ready.
 * Services without endpoints of their own (no selector, headless, ExternalName) have nothing to settle.
 */
export function serviceJudge(objects: Objects, settled = new Settling()): Judge {
  return async (live) => {
    const address = addressLook(live);
    if (!hasEndpoints(live) || !address.done) return address;
    const ref = {
      apiVersion: "v1",
      kind: "Endpoints",
      namespace: namespaceOf(live),
      name: nameOf(live),
    };
    const endpoints = await objects.find(ref);
    settled.look(textAt(endpoints, "metadata", "resourceVersion"), Date.now());
    if (!settled.isSettled(Date.now())) return waiting("Service endpoints have not settled");
    return isPending(endpoints) ? waiting(NOT_READY) : address;
  };
}

/** The same for a look at one moment: endpoints count as settled. */
export function serviceNow(objects: Objects): Judge {
  const always = new Settling();
  always.look("any", Date.now() - 2 * SETTLE_MS);
  always.look = () => undefined;
  return serviceJudge(objects, always);
}

const NOT_READY =
  "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels on any Pods";

function addressLook(live: JsonObject): Look {
  if (textAt(live, "spec", "type") !== "LoadBalancer") return { done: true, missing: [] };
  if (listAt(live, "status", "loadBalancer", "ingress").length > 0)
    return { done: true, missing: [] };
  return waiting("Service was not allocated an IP address; does your cloud provider support this?");
}

function hasEndpoints(live: JsonObject): boolean {
  const selector = at(live, "spec", "selector");
  if (
    textAt(live, "spec", "type") === "ExternalName" ||
    textAt(live, "spec", "clusterIP") === "None"
  )
    return false;
  return isObject(selector) && Object.keys(selector).length > 0;
}

function isPending(endpoints: Json | undefined): boolean {
  return listAt(endpoints, "subsets").some(
    (subset) => listAt(subset, "notReadyAddresses").length > 0,
  );
}

function waiting(missing: string): Look {
  return { done: false, missing: [missing] };
}
