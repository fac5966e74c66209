import { join } from "node:path";
import { stringify } from "yaml";
import type { Certificates } from "./certificates.ts";

/**
 * Who may log in to a registry of ours. Not a secret: it keeps nobody out of a registry on loopback, it makes sure that
 * everything which pulls has been given credentials.
 */
export const REGISTRY_USER = { username: "carrier", password: "inside-the-gap" } as const;
/** Bcrypt of that password, the only form that the registry reads. Node has none. */
const HTPASSWD = "carrier:$2y$04$kserveplatformtests00.I5M7zyGPF31L1tflK5oLkwzA9PzpCtm\n";

/** What a distribution registry serves, and how. */
export interface RegistryConfig {
  readonly folder: string;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** Absent: plain http. */
  readonly tls?: Certificates | undefined;
  /** True to let only {@link REGISTRY_USER} in. */
  readonly auth?: boolean | undefined;
}

/** Its files by name below its folder. `config.yml` is the argument of `registry serve`. */
export function registryFiles(config: RegistryConfig): Readonly<Record<string, string>> {
  return { htpasswd: HTPASSWD, "config.yml": stringify(configOf(config)) };
}

/** Settings that the registry takes from its environment: no telemetry, and nothing over its file. */
export function registryEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([key]) => !key.startsWith("REGISTRY_"));
  return { ...Object.fromEntries(kept), OTEL_TRACES_EXPORTER: "none" };
}

/** Keys: distribution/distribution@v3.1.0:docs/content/about/configuration.md. */
function configOf({ folder, host, tls, auth }: RegistryConfig): unknown {
  return {
    version: 0.1,
    log: { accesslog: { disabled: false }, level: "error" },
    storage: {
      filesystem: { rootdirectory: join(folder, "data") },
      delete: { enabled: true },
    },
    http: {
      addr: host,
      secret: "of no use to anybody",
      ...(tls === undefined ? {} : { tls: { certificate: tls.certificate, key: tls.key } }),
    },
    ...(auth === true
      ? { auth: { htpasswd: { realm: "kserve-platform", path: join(folder, "htpasswd") } } }
      : {}),
  };
}
