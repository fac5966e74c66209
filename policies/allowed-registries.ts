import { Config } from "@pulumi/pulumi";
import type { MirrorLayout } from "../images/mirror.ts";

/** What the pack's own configuration and the stack say together. */
export interface AllowedRegistries {
  readonly registries: readonly string[];
  /** Upstream prefixes that may stay where they are. */
  readonly exempt: readonly string[];
  /** Where single images are by exception. */
  readonly images: Readonly<Record<string, string>>;
  /** Layout of the stack's registry; absent when only the pack's configuration names registries. */
  readonly layout?: MirrorLayout;
}

/** `config` is the pack's own; the stack's is `kserve:registry`. */
export function allowedRegistries(config: Partial<AllowedRegistries>): AllowedRegistries {
  const stack = new Config("kserve").getObject<Partial<MirrorLayout>>("registry");
  const { host, images = {}, exempt = [] } = stack ?? {};
  const layout: MirrorLayout | undefined =
    host === undefined
      ? undefined
      : { layout: "project-per-host", projects: {}, ...stack, host, images, exempt };
  return {
    registries: [...(config.registries ?? []), ...(host === undefined ? [] : [host])],
    exempt: [...(config.exempt ?? []), ...exempt],
    images,
    ...(layout === undefined ? {} : { layout }),
  };
}
