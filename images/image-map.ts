import { mirror } from "./mirror.ts";
import type { MirrorLayout } from "./mirror.ts";
import { canonical, formatReference, parseReference } from "./reference.ts";
import { tokens } from "./tokens.ts";

/** `"image": "repo"` inside JSON text, where the tag stands under another key or is added by a controller. */
const JSON_IMAGE = /("(?:image|repository)"\s*:\s*")([^"]+)(")/gi;
/** `name: repo` over `tag: version` in YAML text (ModelMesh's config-defaults.yaml). */
const YAML_PAIR =
  /(?<=\bname:[ \t]*["']?)([^\s"'{}]+)(?=["']?[ \t]*\n[ \t]*tag:[ \t]*["']?([\w][\w.-]*))/g;
/** Keys under which a bare repository stands for an image. */
const IMAGE_KEY = /(image|repository)$/i;

/**
 * The one map from upstream images to their mirrored names. Everything that moves images inside an air gap asks it:
 * chart values, rendered objects, the Knative operator's overrides. Images that it does not know stay as they are,
 * so that the registry policy finds them.
 */
export class ImageMap {
  readonly #full = new Map<string, string>();
  readonly #repositories = new Map<string, string>();

  /** `layout` absent: nothing is mirrored and every look-up answers with its question. */
  constructor(upstreams: readonly string[], layout: MirrorLayout | undefined) {
    if (layout === undefined) return;
    for (const upstream of upstreams) this.#add(upstream, layout);
  }

  /** Mirrored name of one image; the given text when the map does not know it. */
  target(image: string): string {
    return this.#lookup(image) ?? image;
  }

  /** Rewrites every known image inside a text: a bare reference, an argument, JSON or YAML in a ConfigMap. */
  rewriteText(text: string): string {
    if (this.#full.size === 0) return text;
    let result = "";
    let last = 0;
    for (const token of tokens(text)) {
      const target = this.#full.get(canonical(token.text) ?? "");
      if (target === undefined) continue;
      result += text.slice(last, token.start) + target;
      last = token.end;
    }
    return (result + text.slice(last))
      .replace(
        JSON_IMAGE,
        (_all, before: string, image: string, after: string) => before + this.target(image) + after,
      )
      .replace(YAML_PAIR, (_all, name: string, tag: string) => this.#pairTarget(name, tag));
  }

  /** Rewrites every string of an object and returns a new one; numbers, booleans and unknown values pass. */
  rewriteObject<T>(value: T, key = ""): T {
    if (typeof value === "string") {
      const text = IMAGE_KEY.test(key) ? this.target(value) : value;
      return this.rewriteText(text) as T;
    }
    if (Array.isArray(value))
      return value.map((item: unknown) => this.rewriteObject(item, key)) as T;
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, this.rewriteObject(item, name)]),
    ) as T;
  }

  #add(upstream: string, layout: MirrorLayout): void {
    const reference = parseReference(upstream);
    if (reference === undefined) throw new Error(`not an image reference: ${upstream}`);
    const target = mirror(reference, layout);
    const full = formatReference(target);
    this.#full.set(formatReference(reference), full);
    this.#full.set(full, full);
    this.#withoutDigest(reference, full);
    this.#repositories.set(
      `${reference.host}/${reference.repository}`,
      `${target.host}/${target.repository}`,
    );
  }

  /** A manifest that names only the tag of an image whose digest we know gets the pinned name. */
  #withoutDigest(reference: NonNullable<ReturnType<typeof parseReference>>, target: string): void {
    if (reference.digest === undefined || reference.tag === undefined) return;
    const { digest: _digest, ...tagged } = reference;
    this.#full.set(formatReference(tagged), target);
  }

  /** Mirrored repository of an image whose tag stands by itself; the digest has no place there. */
  #pairTarget(name: string, tag: string): string {
    const target = this.#full.get(canonical(`${name}:${tag}`) ?? "");
    const reference = target === undefined ? undefined : parseReference(target);
    return reference === undefined ? name : `${reference.host}/${reference.repository}`;
  }

  #lookup(image: string): string | undefined {
    const reference = parseReference(image);
    if (reference === undefined) return undefined;
    const full = this.#full.get(formatReference(reference));
    if (full !== undefined) return full;
    if (reference.tag !== undefined || reference.digest !== undefined) return undefined;
    return this.#repositories.get(`${reference.host}/${reference.repository}`);
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
