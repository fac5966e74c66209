import { parse as parseYaml } from "yaml";
import { looksLikeHost, parseReference } from "./reference.ts";
import type { ImageReference } from "./reference.ts";
import { isQualifiedImage, tokens } from "./tokens.ts";

/** An image found in an object. */
export interface FoundImage {
  /** Path of the string inside the object, `spec.containers[0].image`; `→` leads into JSON or YAML in a string. */
  readonly path: string;
  readonly text: string;
  readonly reference: ImageReference;
}

/** Keys whose whole value is an image (`image`, `defaultJobImage`, `queue-sidecar-image`). */
const IMAGE_KEY = /(?:^|[a-z-])image$/i;
/** Keys whose value names a registry and path without an image (chart values, Istio's injector settings). */
const REPOSITORY_KEY = /^(?:hub|repository)$/;
/** Words that stand under an image key and are none: Istio's injector replaces the exact string `auto`. */
const NOT_IMAGES = new Set(["auto", ""]);
/** Prose: OpenAPI schemas of CRDs quote example images in their descriptions. */
const PROSE_KEYS = new Set(["description", "message"]);

/**
 * Every image that an object names: under image keys, inside arguments, environment values and other texts,
 * and inside JSON or YAML that a string carries. `isKnown` tells short names that only the catalog can recognise
 * (`kserve/agent:v0.16.0` in an argument).
 */
export function findImages(
  value: unknown,
  isKnown: (text: string) => boolean = () => false,
): FoundImage[] {
  const found: FoundImage[] = [];
  visit(value, { path: "", key: "", belowHub: false }, { found, isKnown });
  return found;
}

interface Place {
  readonly path: string;
  readonly key: string;
  /** True inside settings that name a `hub`: a bare word under an image key is then a name below that hub. */
  readonly belowHub: boolean;
}
interface Search {
  readonly found: FoundImage[];
  readonly isKnown: (text: string) => boolean;
}

function visit(value: unknown, place: Place, search: Search): void {
  if (typeof value === "string") return visitString(value, place, search);
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      visit(item, { ...place, path: `${place.path}[${String(index)}]` }, search);
    });
    return;
  }
  if (typeof value !== "object" || value === null) return;
  const belowHub = place.belowHub || namesHub(value);
  for (const [key, item] of Object.entries(value)) {
    if (PROSE_KEYS.has(key) && typeof item === "string") continue;
    visit(item, { path: place.path === "" ? key : `${place.path}.${key}`, key, belowHub }, search);
  }
}

/** Istio's settings: images are words (`pilot`, `proxyv2`) that istiod joins to `hub`, which is checked itself. */
function namesHub(value: object): boolean {
  const { hub, global } = value as { hub?: unknown; global?: { hub?: unknown } };
  return typeof hub === "string" || typeof global?.hub === "string";
}

function visitString(text: string, place: Place, search: Search): void {
  const structure = parseStructure(text);
  if (structure !== undefined)
    return visit(structure, { path: `${place.path} →`, key: "", belowHub: false }, search);
  if (isUnderImageKey(text, place) && record(text, place, search)) return;
  if (REPOSITORY_KEY.test(place.key) && looksLikeHost(text.split("/", 1)[0] ?? "")) {
    record(text, place, search);
    return;
  }
  for (const token of tokens(text)) {
    if (isQualifiedImage(token.text) || search.isKnown(token.text)) {
      record(token.text, place, search);
    }
  }
}

function isUnderImageKey(text: string, place: Place): boolean {
  if (place.belowHub && /^[\w.-]+$/.test(text)) return false;
  return IMAGE_KEY.test(place.key) && !NOT_IMAGES.has(text) && !text.includes("{{");
}

/** Keeps a text that is a reference; answers whether it is one. */
function record(text: string, place: Place, search: Search): boolean {
  const reference = parseReference(text);
  if (reference === undefined) return false;
  search.found.push({ path: place.path, text, reference });
  return true;
}

/** JSON or block YAML carried in a string; `undefined` for plain text and templates. */
function parseStructure(text: string): unknown {
  const trimmed = text.trimStart();
  if (trimmed.startsWith("{") || trimmed.startsWith("[")) return parseJson(trimmed);
  if (!text.includes("\n") || !/^[ \t-]*[\w."-]+:(?:\s|$)/m.test(text) || text.includes("{{"))
    return undefined;
  try {
    const parsed: unknown = parseYaml(text);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
