/** Images of an air gap's registry, and how one gets lost. */
import { request } from "node:https";
import type { Contents } from "../../bundle/contents.ts";
import { parseReference } from "../../images/reference.ts";
import type { ImageReference } from "../../images/reference.ts";
import { Registry } from "../../registry/registry.ts";
import type { Gap } from "../../sandbox/airgap/gap.ts";
import { REGISTRY_USER } from "../../sandbox/registry/config.ts";

/** Where the stack installs an image from whose upstream name has this text in it. */
export function installedImage({ images }: Contents, upstream: string): ImageReference {
  const image = images.find((item) => item.upstream.includes(upstream));
  const reference = parseReference(image?.installed ?? "");
  if (reference === undefined) throw new Error(`no image ${upstream}`);
  return reference;
}

/** Deletes an image from the registry; 202 is the answer where that went well. */
export async function takeOut(
  { registry: { host, ca } }: Gap,
  { repository, tag = "" }: ImageReference,
): Promise<number> {
  const registry = new Registry({ host, ca, credentials: REGISTRY_USER, timeout: 10_000 });
  const digest = (await registry.digestOf(repository, tag)) ?? "";
  registry.close();
  const auth = `${REGISTRY_USER.username}:${REGISTRY_USER.password}`;
  const url = `https://${host}/v2/${repository}/manifests/${digest}`;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(url, { method: "DELETE", ca, auth }, (answer) => {
    answer.resume();
    resolve(answer.statusCode ?? 0);
  })
    .on("error", reject)
    .end();
  return promise;
}
