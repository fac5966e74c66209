import { parseReference } from "../images/reference.ts";
import { RemoteFailure } from "../registry/failure.ts";
import { Registry } from "../registry/registry.ts";

/** What a registry said about an image, or why it said nothing. */
export type DigestAnswer = { readonly digest: string } | { readonly reason: string };

/** Registries throttle eager clients. */
const CONCURRENCY = 6;

/**
 * Asks registries for the digests of tags, without credentials and once. A host that cannot be reached is not asked
 * again, so that an air gap costs one timeout per host.
 */
export class RegistryClient {
  readonly #timeout: number;
  readonly #silent = new Map<string, string>();
  readonly #registries = new Map<string, Registry>();

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
    for (const registry of this.#registries.values()) registry.close();
    return answers;
  }

  /** The digest that an image's tag stands for now. */
  async digest(image: string): Promise<DigestAnswer> {
    const reference = parseReference(image);
    if (reference === undefined) return { reason: "not an image reference" };
    const { host, repository, tag, digest } = reference;
    const silent = this.#silent.get(host);
    if (silent !== undefined) return { reason: silent };
    try {
      const found = await this.#registry(host).digestOf(repository, tag ?? digest ?? "latest");
      return found === undefined ? { reason: `${host} answered 404` } : { digest: found };
    } catch (error) {
      return { reason: this.#reason(error, host) };
    }
  }

  #registry(host: string): Registry {
    const known = this.#registries.get(host);
    if (known !== undefined) return known;
    const retry = { retries: 0, delay: 0 };
    const registry = new Registry({ host, timeout: this.#timeout, retry });
    this.#registries.set(host, registry);
    return registry;
  }

  #reason(error: unknown, host: string): string {
    const { status, code } = error instanceof RemoteFailure ? error.details : {};
    if (status !== undefined) return `${host} answered ${String(status)}`;
    const why = code === "ETIMEDOUT" ? "no answer in time" : (code ?? (error as Error).message);
    const reason = `${host} cannot be reached (${why})`;
    this.#silent.set(host, reason);
    return reason;
  }
}
