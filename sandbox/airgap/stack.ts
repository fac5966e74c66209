import { parse } from "yaml";
import type { Mode } from "../../config/schema.ts";
import { REGISTRY_USER } from "../registry/config.ts";
import type { SandboxRegistry } from "../registry/server.ts";
import { sandboxError } from "../toolchain/sandbox-error.ts";
import { CHARTS_PROJECT } from "./fill.ts";

type Mapping = Readonly<Record<string, unknown>>;

/** How a stack is bound to the sandbox's registry. */
export interface Binding {
  readonly registry: SandboxRegistry;
  /** Folder of CRD files. */
  readonly manifests: string;
  /** @default the stack file's own */
  readonly mode?: Mode | undefined;
  /** Exceptions, besides those of the stack file. */
  readonly images?: Readonly<Record<string, string>>;
}

/** Paths of the two passwords, which belong encrypted into the stack file. */
export const PASSWORDS = ["kserve:registry.pullSecret.password", "kserve:charts.password"] as const;

/**
 * Keys of `kserve:` that turn a stack of an air gap to the sandbox's registry: its images, its charts, its CA, its
 * credentials (without their passwords). The stack's own layout and exceptions stay.
 */
export function airgapConfig(
  stackText: string,
  { registry, manifests, mode, images }: Binding,
): Record<string, unknown> {
  const { host, ca, certificates } = registry;
  const { username } = REGISTRY_USER;
  const own = ownRegistry(stackText);
  const { plainHttp: _plain, host: _host, ...kept } = own;
  return {
    ...(mode === undefined ? {} : { mode }),
    registry: {
      host,
      ...kept,
      ca,
      pullSecret: { ...mapping(own["pullSecret"]), username },
      images: { ...images, ...mapping(own["images"]) },
      // Simulated nodes pull nothing.
      nodesPrepared: true,
    },
    charts: {
      source: "oci",
      url: `oci://${host}/${CHARTS_PROJECT}`,
      manifests,
      username,
      caFile: certificates.ca,
    },
  };
}

/** The text of a stack file with these keys, for commands that need no Pulumi: they take passwords from elsewhere. */
export function airgapStackText(stackText: string, config: Mapping): string {
  const root = mapping(parse(stackText));
  const keys = Object.entries(config).map(([key, value]) => [`kserve:${key}`, value] as const);
  const bound: Record<string, unknown> = {
    ...mapping(root["config"]),
    ...Object.fromEntries(keys),
  };
  for (const path of PASSWORDS) {
    const [key = "", ...inner] = path.split(".");
    bound[key] = withValue(mapping(bound[key]), inner, {
      secure: "set in the sandbox's own stack",
    });
  }
  return JSON.stringify({ ...root, config: bound }, null, 2);
}

function ownRegistry(stackText: string): Mapping {
  const registry = mapping(mapping(mapping(parse(stackText))["config"])["kserve:registry"]);
  if (registry["layout"] !== "proxy-cache") return registry;
  throw sandboxError({
    code: "sandbox-airgap-layout",
    where: "kserve:registry.layout",
    found: "proxy-cache",
    allowed:
      "project-per-host or single-project: a proxy-cache project is filled from upstream alone",
    fix: "name a stack of another layout with --stack",
  });
}

function withValue(target: Mapping, path: readonly string[], value: unknown): Mapping {
  const [key = "", ...rest] = path;
  return {
    ...target,
    [key]: rest.length === 0 ? value : withValue(mapping(target[key]), rest, value),
  };
}

function mapping(value: unknown): Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Mapping)
    : {};
}
