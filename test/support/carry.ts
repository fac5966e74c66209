import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { contentsOfPlan } from "../../bundle/contents.ts";
import type { Contents } from "../../bundle/contents.ts";
import { parseReference } from "../../images/reference.ts";
import { parseStackFile } from "../../config/stack-file.ts";
import { resolve } from "../../plan/resolve.ts";
import { loadCatalog } from "../../versions/catalog.ts";
import { layer, skopeo, writeLayout } from "./images.ts";
import type { TestImage } from "./images.ts";

/** What a stack file's text asks for, with charts from upstream. Throws when it has problems. */
export function contentsOfText(text: string): Contents {
  const { settings } = parseStackFile(Buffer.from(text), "test");
  if (settings === undefined) throw new Error("the stack file has problems");
  const { plan } = resolve({ ...settings, charts: { source: "upstream" } }, loadCatalog());
  if (plan === undefined) throw new Error("the stack has no plan");
  return contentsOfPlan(plan);
}

/** A small image for a reference: one layer that all share, one of its own; every third has two platforms. */
export function imageFor(upstream: string, index: number, size = 2000): TestImage {
  const own = (arch: string): Buffer[] => [
    layer("shared by all", size * 4),
    layer(`${upstream} ${arch}`, size),
  ];
  const platforms =
    index % 3 === 0 ? { amd64: own("amd64"), arm64: own("arm64") } : { amd64: own("amd64") };
  return { name: upstream, platforms };
}

/** Where a proxying registry keeps an upstream image. */
export function viaReference(host: string, upstream: string): string {
  const reference = parseReference(upstream);
  if (reference === undefined) throw new Error(upstream);
  return `${host}/${reference.host}/${reference.repository}:${reference.tag ?? ""}`;
}

/**
 * Makes small images for upstream references and copies them with skopeo to a plain registry, half of them in Docker's
 * format, half in OCI's: registries hold both.
 */
export async function publishImages(
  program: string,
  {
    folder,
    host,
    size,
  }: { readonly folder: string; readonly host: string; readonly size?: number },
  upstreams: readonly string[],
): Promise<void> {
  await writeLayout(
    folder,
    upstreams.map((upstream, index) => imageFor(upstream, index, size)),
  );
  const queue = upstreams.map((upstream, index) => ({ upstream, index }));
  const work = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const { upstream, index } = item;
      const format = index % 2 === 0 ? "v2s2" : "oci";
      const options = ["--all", "--quiet", "--dest-tls-verify=false", "--format", format];
      const copy = [`oci:${folder}:${upstream}`, `docker://${viaReference(host, upstream)}`];
      await skopeo(program, "--insecure-policy", "copy", ...options, ...copy);
    }
  };
  await Promise.all([work(), work(), work()]);
}

/** Charts that hold nothing but their name, and the CRD files, as a folder of charts has them. */
export async function writeCharts(folder: string, contents: Contents): Promise<void> {
  for (const { name, version, file } of contents.charts) {
    const chart = join(folder, file.replace(/\.tgz$/, ""));
    await mkdir(join(chart, "templates"), { recursive: true });
    await writeFile(
      join(chart, "Chart.yaml"),
      `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
    );
    await writeFile(join(chart, "values.yaml"), "{}\n");
    await writeFile(join(chart, "templates", "none.yaml"), "");
  }
  for (const { file } of contents.manifests) await writeFile(join(folder, file), `# ${file}\n`);
}
