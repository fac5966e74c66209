import { canonical, looksLikeHost, parseReference } from "./reference.ts";
import { findImages, parseStructure } from "./scan.ts";
import { tokens } from "./tokens.ts";

/** An image that a rendered object names, in full. */
export interface RenderedImage {
  /** `Kind/name path`. */
  readonly at: string;
  /** Full reference; without tag where the object leaves the tag to somebody else. */
  readonly image: string;
  /** True when it is joined from a hub: a mirror reaches it by setting the hub, not by rewriting the name. */
  readonly fromHub?: true;
}

/** Keys that carry the tag of an image beside them (KServe's explainers, chart values written into ConfigMaps). */
const TAG_KEYS = ["tag", "defaultImageVersion", "imageTag"];
const IMAGE_KEY = /(?:^|[a-z-])image$/i;
/** A line of a Go template, which is no YAML before it is filled in: Istio's injector carries such pods. */
const TEMPLATE_LINE = /^[ \t-]*image:[ \t]*["']?([^\s"'{}]+)["']?[ \t]*$/gm;
/** Short names outside image keys: a path and a tag that is a version, `kserve/agent:v0.16.0`. */
const SHORT_IMAGE =
  /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+:(?:v?\d+\.[\w.-]+|latest[\w.-]*)$/;

/**
 * Every image that one rendered object names, wherever it hides: containers, arguments, JSON and YAML inside
 * ConfigMaps, Go templates, and names that are joined from several keys (hub and tag, image and version).
 */
export function renderedImages(object: unknown): RenderedImage[] {
  const name = objectName(object);
  const joined = joinedImages(object);
  const found = findImages(object, isShortImage).flatMap(({ path, text }) => {
    const image = joined.has(text) || isRegistryPath(path, text) ? undefined : canonical(text);
    return image === undefined ? [] : [{ at: `${name} ${path}`, image }];
  });
  const parts = [...joined].map(([text, image]) => ({
    at: `${name} ${text}`,
    image,
    ...(text.includes("/") ? {} : { fromHub: true as const }),
  }));
  return [...found, ...parts, ...templateImages(object, name)];
}

function isShortImage(text: string): boolean {
  return SHORT_IMAGE.test(text) && parseReference(text) !== undefined;
}

/** A hub (`docker.io/istio`) is the front half of images that are joined from it. */
function isRegistryPath(path: string, text: string): boolean {
  return /(?:^|\.)hub$/.test(path) && looksLikeHost(text.split("/", 1)[0] ?? "");
}

function objectName(object: unknown): string {
  if (!isRecord(object)) return "";
  const metadata = isRecord(object["metadata"]) ? object["metadata"] : {};
  return `${asText(object["kind"])}/${asText(metadata["name"])}`;
}

/** Short image text to its full name, for texts whose hub or tag stands under another key of the same object. */
function joinedImages(object: unknown): ReadonlyMap<string, string> {
  const records: Record<string, unknown>[] = [];
  collectRecords(object, records);
  const hub = records.find(
    (record) => asText(record["hub"]) !== "" && asText(record["tag"]) !== "",
  );
  const joined = new Map<string, string>();
  for (const record of records) {
    for (const [key, value] of Object.entries(record)) {
      if (typeof value !== "string" || !IMAGE_KEY.test(key)) continue;
      const full = joinOne(value, record, hub);
      if (full !== undefined) joined.set(value, full);
    }
  }
  return joined;
}

function joinOne(
  image: string,
  record: Readonly<Record<string, unknown>>,
  hub: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const reference = parseReference(image);
  if (reference === undefined || reference.tag !== undefined || reference.digest !== undefined)
    return undefined;
  const tag = TAG_KEYS.map((key) => asText(record[key])).find((text) => text !== "");
  if (hub !== undefined && !image.includes("/"))
    return canonical(`${asText(hub["hub"])}/${image}:${asText(hub["tag"])}`);
  return tag === undefined ? undefined : canonical(`${image}:${tag}`);
}

function collectRecords(value: unknown, into: Record<string, unknown>[]): void {
  if (typeof value === "string") {
    const structure = parseStructure(value);
    if (structure !== undefined) collectRecords(structure, into);
  } else if (Array.isArray(value)) {
    for (const item of value) collectRecords(item, into);
  } else if (isRecord(value)) {
    into.push(value);
    for (const item of Object.values(value)) collectRecords(item, into);
  }
}

function templateImages(object: unknown, name: string): RenderedImage[] {
  const found: RenderedImage[] = [];
  visitTemplates(object, "", (path, text) => {
    for (const match of text.matchAll(TEMPLATE_LINE)) {
      const token = tokens(match[1] ?? "")[0]?.text ?? "";
      const image = token === "auto" ? undefined : canonical(token);
      if (image !== undefined) found.push({ at: `${name} ${path} (template)`, image });
    }
  });
  return found;
}

function visitTemplates(
  value: unknown,
  path: string,
  visit: (path: string, text: string) => void,
): void {
  if (typeof value === "string") {
    if (value.includes("{{") && value.includes("\n")) visit(path, value);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value))
      if (key !== "_example") visitTemplates(item, path === "" ? key : `${path}.${key}`, visit);
  }
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
