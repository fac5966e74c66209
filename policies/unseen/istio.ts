import { looksLikeHost, parseReference } from "../../images/reference.ts";
import { at, readJson } from "./uncovered.ts";
import type { Uncovered, Unseen } from "./uncovered.ts";

/** ConfigMap from which istiod fills in sidecars and gateways; a revision's name follows. */
const INJECTOR = /^istio-sidecar-injector(?:-|$)/;
const PROXIES = ["proxy", "proxy_init"] as const;

/**
 * Images that istiod's injector will write into pods: every sidecar, the ingress gateway (whose own image is the word
 * `auto`) and the gateways of the Gateway API. They are joined from hub, name and tag when a pod is made.
 */
export function judgeInjector(props: unknown, unseen: Unseen): Uncovered[] {
  const name = at(props, "metadata", "name");
  if (typeof name !== "string" || !INJECTOR.test(name)) return [];
  const values = readJson(at(props, "data", "values"));
  const hub = at(values, "global", "hub");
  if (typeof hub !== "string" || hub === "")
    return [uncovered("images that istiod injects", "global.hub", "is not set")];
  return PROXIES.flatMap((proxy) => {
    const word = at(values, "global", proxy, "image");
    // Older releases have no image of its own for the init container.
    if (proxy === "proxy_init" && word === undefined) return [];
    const image = join(word, hub, at(values, "global", "tag"));
    if (image === undefined)
      return [uncovered("images that istiod injects", `global.${proxy}.image`, "names no image")];
    return unseen.passes(image)
      ? []
      : [uncovered(image, "global.hub", `and global.${proxy}.image lead there`)];
  });
}

function join(word: unknown, hub: string, tag: unknown): string | undefined {
  if (typeof word !== "string" || word === "") return undefined;
  const whole = word.includes("/")
    ? word
    : `${hub}/${word}${typeof tag === "string" ? `:${tag}` : ""}`;
  const named = looksLikeHost(whole.split("/", 1)[0] ?? "") ? whole : `docker.io/${whole}`;
  return parseReference(named) === undefined ? undefined : named;
}

function uncovered(image: string, key: string, what: string): Uncovered {
  return { image, key: `data.values → ${key}`, what };
}
