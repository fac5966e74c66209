import { createHash } from "node:crypto";
import { parseReference } from "../images/reference.ts";
import type { ImageReference } from "../images/reference.ts";

/** What a registry said about an image, or why it said nothing. */
export type DigestAnswer = { readonly digest: string } | { readonly reason: string };

/** Index before image: the digest that pods are pinned to is the one of the multi-platform index. */
const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Docker Hub's registry does not live at the name that its images carry. */
const API_HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };
/** Registries throttle eager clients. */
const CONCURRENCY = 6;

/**
 * Asks registries for the digests of tags, without credentials (OCI distribution specification, "Checking if content
 * exists"). A host that cannot be reached once is not asked again, so that an air gap costs one timeout per host.
 */
export class RegistryClient {
  readonly #timeout: number;
  readonly #silent = new Map<string, string>();
  readonly #tokens = new Map<string, string>();

  /** `timeout` in milliseconds, for each request. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Answers for many images, by the reference given. */
  async digests(images: readonly string[]): Promise<ReadonlyMap<string, DigestAnswer>> {
    const answers = new Map<string, DigestAnswer>();
    const queue = [...new Set(images)];
    const work = async (): Promise<void> => {
      for (let image = queue.shift(); image !== undefined; image = queue.shift())
        answers.set(image, await this.digest(image));
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    return answers;
  }

  /** The digest that an image's tag stands for now. */
  async digest(image: string): Promise<DigestAnswer> {
    const reference = parseReference(image);
    if (reference === undefined) return { reason: "not an image reference" };
    const silent = this.#silent.get(reference.host);
    if (silent !== undefined) return { reason: silent };
    try {
      return await this.#ask(reference);
    } catch (error) {
      const reason = `${reference.host} cannot be reached (${networkReason(error)})`;
      this.#silent.set(reference.host, reason);
      return { reason };
    }
  }

  async #ask(reference: ImageReference): Promise<DigestAnswer> {
    const head = await this.#request(reference, "HEAD");
    if (!head.ok) return { reason: `${reference.host} answered ${String(head.status)}` };
    const named = head.headers.get("docker-content-digest") ?? "";
    if (DIGEST.test(named)) return { digest: named };
    // The header is optional; the digest is that of the manifest's bytes.
    const whole = await this.#request(reference, "GET");
    if (!whole.ok) return { reason: `${reference.host} answered ${String(whole.status)}` };
    const bytes = Buffer.from(await whole.arrayBuffer());
    return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
  }

  async #request(reference: ImageReference, method: "HEAD" | "GET"): Promise<Response> {
    const base = baseOf(reference.host);
    const url = `${base}/v2/${reference.repository}/manifests/${reference.tag ?? reference.digest ?? "latest"}`;
    const key = `${reference.host}/${reference.repository}`;
    const first = await this.#fetch(url, method, this.#tokens.get(key));
    if (first.status !== 401) return first;
    const token = await this.#token(first.headers.get("www-authenticate") ?? "", reference);
    if (token === undefined) return first;
    this.#tokens.set(key, token);
    return this.#fetch(url, method, token);
  }

  /** An anonymous token from the place that the registry names (distribution specification, token authentication). */
  async #token(challenge: string, reference: ImageReference): Promise<string | undefined> {
    const { realm, service, scope } = challengeOf(challenge);
    if (realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    if (url.protocol !== "https:" && !isLoopback(url.host)) return undefined;
    if (service !== undefined) url.searchParams.set("service", service);
    url.searchParams.set("scope", scope ?? `repository:${reference.repository}:pull`);
    const response = await this.#fetch(url.href, "GET", undefined);
    if (!response.ok) return undefined;
    const body = (await response.json()) as { token?: unknown; access_token?: unknown };
    const token = body.token ?? body.access_token;
    return typeof token === "string" ? token : undefined;
  }

  #fetch(url: string, method: string, token: string | undefined): Promise<Response> {
    return fetch(url, {
      method,
      headers: {
        accept: ACCEPT,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      signal: AbortSignal.timeout(this.#timeout),
    });
  }
}

/** Loopback registries speak plain HTTP, as docker and containerd take it. */
function baseOf(host: string): string {
  return `${isLoopback(host) ? "http" : "https"}://${API_HOSTS[host] ?? host}`;
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

function challengeOf(header: string): Partial<Record<"realm" | "service" | "scope", string>> {
  if (!/^bearer /i.test(header)) return {};
  const pairs = header.matchAll(/(\w+)="([^"]*)"/g);
  return Object.fromEntries(
    [...pairs].map(([, key = "", value = ""]) => [key.toLowerCase(), value]),
  );
}

function networkReason(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string } };
  if (name === "TimeoutError") return "no answer in time";
  return cause?.code ?? message;
}
