/**
 * Image references as containers/image and Docker read them
 * (grammar: distribution/reference@v0.6.0:regexp.go; short names: distribution/reference@v0.6.0:normalize.go).
 */
export interface ImageReference {
  /** Registry host with its port, `docker.io` for short names. */
  readonly host: string;
  /** Repository path without the host, `library/…` for official short names. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:<hex>`. */
  readonly digest?: string;
}

const DEFAULT_HOST = "docker.io";
const PATH_COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(`^${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Longest repository name with its host that registries accept (distribution/reference@v0.6.0:reference.go). */
const MAX_NAME_LENGTH = 255;

/** Reads a reference; `undefined` when the text is none. */
export function parseReference(text: string): ImageReference | undefined {
  const [named, digest] = cut(text, "@");
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  const [name, tag] = cutTag(named);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const split = splitName(name);
  if (split === undefined || !PATH.test(split.repository) || name.length > MAX_NAME_LENGTH)
    return undefined;
  return {
    ...split,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** True when the first path component of a name is a registry host rather than part of a Docker Hub path. */
export function looksLikeHost(component: string): boolean {
  return (
    (component.includes(".") || component.includes(":") || component === "localhost") &&
    HOST.test(component)
  );
}

/** Writes a reference in full: `host/repository[:tag][@digest]`. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.host}/${reference.repository}${tag}${digest}`;
}

/** Full form of a reference in any spelling, for use as a key; `undefined` when the text is none. */
export function canonical(text: string): string | undefined {
  const reference = parseReference(text);
  return reference === undefined ? undefined : formatReference(reference);
}

/** True for a registry address as `registry.host` takes it: `host[:port]`, no scheme, no path. */
export function isRegistryHost(text: string): boolean {
  if (!HOST.test(text)) return false;
  const port = /:(\d+)$/.exec(text)?.[1];
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65535);
}

/** A colon before the last slash belongs to the host's port. */
function cutTag(named: string): [string, string | undefined] {
  const colon = named.lastIndexOf(":");
  if (colon <= named.lastIndexOf("/")) return [named, undefined];
  return [named.slice(0, colon), named.slice(colon + 1)];
}

function splitName(name: string): { host: string; repository: string } | undefined {
  const [first, rest] = cut(name, "/");
  if (rest !== undefined && looksLikeHost(first)) {
    return {
      host: first === "index.docker.io" ? DEFAULT_HOST : first,
      repository: officialPath(first, rest),
    };
  }
  if (name === "") return undefined;
  return { host: DEFAULT_HOST, repository: officialPath(DEFAULT_HOST, name) };
}

function officialPath(host: string, path: string): string {
  const onHub = host === DEFAULT_HOST || host === "index.docker.io";
  return onHub && !path.includes("/") ? `library/${path}` : path;
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
