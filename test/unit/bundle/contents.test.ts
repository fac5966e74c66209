import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { contentsOfCatalog, contentsOfPlan } from "../../../bundle/contents.ts";
import type { Contents } from "../../../bundle/contents.ts";
import { commands, haulerManifest, skopeoSync } from "../../../bundle/forms.ts";
import { parseReference } from "../../../images/reference.ts";
import { catalog, planOf } from "../../support/settings.ts";

const HOST = "10.61.3.31:35000";
const plan = planOf({ registry: { host: HOST } });
const contents = contentsOfPlan(plan);

describe("contents of a stack", () => {
  it("name every image of the plan once, under its upstream and its installed name", () => {
    const planned = new Set(plan.images.map(({ image }) => image.replace(/(:[\w.-]+)@.*$/, "$1")));
    expect(new Set(contents.images.map(({ installed }) => installed))).toEqual(planned);
    expect(contents.images).toHaveLength(planned.size);
    for (const { upstream, installed } of contents.images) {
      expect(installed.startsWith(`${HOST}/`), installed).toBe(true);
      expect(installed).toBe(`${HOST}/${upstream}`);
    }
  });

  it("keep digests that the catalog pins, and take the others from a lock file", () => {
    const pinned = contents.images.filter(({ digest }) => digest !== undefined);
    expect(pinned.length).toBeGreaterThan(0);
    const open = contents.images.find(({ digest }) => digest === undefined);
    const digest = `sha256:${"a".repeat(64)}`;
    const locked = contentsOfPlan(plan, {
      lockVersion: 1,
      mode: "Serverless",
      releases: {},
      images: [
        {
          image: open?.installed ?? "",
          upstream: open?.upstream ?? "",
          digest,
          from: "registry",
          usedBy: [],
        },
      ],
    });
    const find = (all: Contents) => all.images.find(({ upstream }) => upstream === open?.upstream);
    expect(find(locked)?.digest).toBe(digest);
    expect(find(contents)?.digest).toBeUndefined();
  });

  it("tell the digest that an exception installs by from the one that upstream has", () => {
    const pinned = contents.images.find(({ digest }) => digest !== undefined);
    const { upstream = "", installed = "" } = pinned ?? {};
    const own = `sha256:${"b".repeat(64)}`;
    const registry = { host: HOST, images: { [upstream]: `${installed}@${own}` } };
    const found = contentsOfPlan(planOf({ registry })).images;
    expect(found.find((image) => image.upstream === upstream)).toEqual({
      ...pinned,
      installedDigest: own,
    });
    expect(found.filter(({ installedDigest }) => installedDigest !== undefined)).toHaveLength(1);
  });

  it("take charts and CRD files from upstream, under the names that a folder of charts has", () => {
    expect(contents.charts.map(({ file }) => file)).toEqual(
      plan.layers
        .flatMap(({ charts }) =>
          charts.map(({ name, version }) => `${name}-${version.replace(/^v/, "")}.tgz`),
        )
        .sort(),
    );
    for (const { repository, name } of contents.charts) {
      expect(repository).toMatch(/^(?:https|oci):\/\//);
      expect(repository.endsWith(`/${name}`), repository).toBe(false);
    }
    expect(contents.manifests).toHaveLength(1);
  });

  it("do not depend on anything but the stack", () => {
    expect(JSON.stringify(contentsOfPlan(planOf({ registry: { host: HOST } })))).toBe(
      JSON.stringify(contents),
    );
  });
});

describe("contents of the whole catalog", () => {
  const all = contentsOfCatalog(catalog);

  it("hold what a single stack needs, and more", () => {
    const upstreams = new Set(all.images.map(({ upstream }) => upstream));
    expect(contents.images.filter(({ upstream }) => !upstreams.has(upstream))).toEqual([]);
    expect(all.images.length).toBeGreaterThan(contents.images.length * 5);
  });

  it("name each image once although releases share them", () => {
    expect(new Set(all.images.map(({ upstream }) => upstream)).size).toBe(all.images.length);
    expect(all.references).toBeGreaterThan(all.images.length);
  });
});

describe("forms of the list", () => {
  const digests = new Map(
    contents.images.flatMap(({ upstream, digest }) =>
      digest === undefined ? [] : [[upstream, digest] as const],
    ),
  );
  const target = { registry: HOST };
  interface Hauler {
    kind: string;
    spec: Record<string, { name: string; rewrite?: string }[]>;
  }
  const hauler = parseAllDocuments(haulerManifest(contents, target)).map(
    (item) => item.toJS() as Hauler,
  );

  it("name the same images for hauler and for skopeo", () => {
    const forHauler = hauler[0]?.spec["images"]?.map(({ name }) => name) ?? [];
    expect(forHauler).toEqual(contents.images.map(({ upstream }) => upstream));
    const forSkopeo = parse(skopeoSync(contents, digests)) as Record<
      string,
      { images: Record<string, string[]> }
    >;
    for (const upstream of forHauler) {
      const { host, repository, tag, digest } = parseReference(upstream) ?? {
        host: "",
        repository: "",
      };
      expect(forSkopeo[host]?.images[repository], upstream).toContain(tag ?? digest);
    }
    const repositories = Object.values(forSkopeo).flatMap(({ images }) => Object.keys(images));
    expect(repositories.length).toBe(
      new Set(forHauler.map((name) => name.replace(/[:@][^/]*$/, ""))).size,
    );
  });

  it("tell hauler where the stack installs from, without the registry's host", () => {
    const images = hauler[0]?.spec["images"] ?? [];
    expect(images.map(({ rewrite }) => `${HOST}/${rewrite ?? ""}`)).toEqual(
      contents.images.map(({ installed }) => installed),
    );
    const online = parseAllDocuments(haulerManifest(contentsOfPlan(planOf()), {}));
    expect(JSON.stringify(online[0]?.toJS())).not.toContain("rewrite");
  });

  it("give one copy command per image, by digest where it is known", () => {
    const text = commands(contents, digests, target);
    for (const { upstream, installed } of contents.images) {
      expect(text).toContain(`'oci:images:${upstream}' 'docker://${installed}'`);
      const source = digests.get(upstream) ?? upstream;
      expect(text).toContain(`${source}' 'docker://${installed}'`);
    }
  });
});
