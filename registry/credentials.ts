/** Who one is at a registry. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Credentials by registry host; `undefined` where the host is asked without any. */
export type CredentialsOf = (host: string) => Credentials | undefined;

/** Key of Docker Hub in the files that `docker login` writes. */
const HUB_KEY = "https://index.docker.io/v1/";

/**
 * Credentials in the form of `docker login`, `podman login` and `skopeo login` (containers-auth.json(5)): `auths` by
 * host, or host and path. Entries that only name a credential helper are not resolved.
 */
export function readAuthFile(text: string): CredentialsOf | undefined {
  const entries = authsOf(text);
  if (entries === undefined) return undefined;
  return (host) => {
    const names = host === "docker.io" ? ["docker.io", HUB_KEY] : [host, `https://${host}`];
    return names.map((name) => decode(entries[name])).find((found) => found !== undefined);
  };
}

/** Value of the header that proves them. */
export function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

function authsOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const file = JSON.parse(text) as { auths?: unknown } | null;
    if (typeof file !== "object" || file === null) return undefined;
    return typeof file.auths === "object" ? (file.auths as Record<string, unknown>) : {};
  } catch {
    return undefined;
  }
}

function decode(entry: unknown): Credentials | undefined {
  const auth = (entry as { auth?: unknown } | undefined)?.auth;
  if (typeof auth !== "string") return undefined;
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
