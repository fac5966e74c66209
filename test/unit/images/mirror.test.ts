import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  collisions,
  isAllowed,
  isExempt,
  mirror,
  projectOf,
  sharedProxies,
  splits,
} from "../../../images/mirror.ts";
import type { MirrorLayout } from "../../../images/mirror.ts";
import { formatReference, parseReference } from "../../../images/reference.ts";
import type { ImageReference } from "../../../images/reference.ts";
import { references } from "../../support/arbitraries.ts";

const perHost: MirrorLayout = {
  host: "harbor.test:8443",
  layout: "project-per-host",
  projects: {},
  exempt: [],
};
const single: MirrorLayout = { ...perHost, layout: "single-project", project: "kserve" };
const proxy: MirrorLayout = {
  ...perHost,
  layout: "proxy-cache",
  projects: { "docker.io": "hub-proxy" },
};

function read(text: string): ImageReference {
  const reference = parseReference(text);
  if (reference === undefined) throw new Error(text);
  return reference;
}

describe("mirror", () => {
  it("keeps the whole path below a project named like the upstream host", () => {
    expect(formatReference(mirror(read("nvcr.io/nvidia/tritonserver:23.05-py3"), perHost))).toBe(
      "harbor.test:8443/nvcr.io/nvidia/tritonserver:23.05-py3",
    );
  });

  it("puts everything below one project when asked", () => {
    expect(formatReference(mirror(read("kserve/agent:v1"), single))).toBe(
      "harbor.test:8443/kserve/docker.io/kserve/agent:v1",
    );
  });

  it("uses another project name where one is given, for that host only", () => {
    const layout = { ...perHost, projects: { "docker.io": "hub-proxy" } };
    expect(mirror(read("kserve/agent:v1"), layout).repository).toBe("hub-proxy/kserve/agent");
    expect(mirror(read("ghcr.io/kserve/agent:v1"), layout).repository).toBe("ghcr.io/kserve/agent");
  });

  it("keeps tag, digest and path of every image, and is done after one step", () => {
    fc.assert(
      fc.property(references, fc.constantFrom(perHost, single, proxy), (reference, layout) => {
        const mirrored = mirror(reference, layout);
        expect(mirrored.host).toBe(layout.host);
        expect(mirrored.tag).toBe(reference.tag);
        expect(mirrored.digest).toBe(reference.digest);
        expect(mirrored.repository.endsWith(`/${reference.repository}`)).toBe(true);
        expect(mirror(mirrored, layout)).toEqual(mirrored);
        expect(isAllowed(mirrored, layout)).toBe(true);
      }),
    );
  });

  it("never lets two upstream images meet, as long as their hosts differ in more than colon and dash", () => {
    const distinct = (one: ImageReference, two: ImageReference): boolean =>
      formatReference(one) !== formatReference(two) &&
      one.host.replace(":", "-") !== two.host.replace(":", "-");
    fc.assert(
      fc.property(
        references,
        references,
        fc.constantFrom(perHost, single, proxy),
        (one, two, layout) => {
          fc.pre(distinct(one, two));
          expect(formatReference(mirror(one, layout))).not.toBe(
            formatReference(mirror(two, layout)),
          );
          expect(collisions([one, two], layout).size).toBe(0);
        },
      ),
    );
  });

  it("keeps library/ of official images in a proxy-cache project, as Harbor asks for it", () => {
    expect(formatReference(mirror(read("busybox:1.28"), proxy))).toBe(
      "harbor.test:8443/hub-proxy/library/busybox:1.28",
    );
    expect(mirror(read("quay.io/a/b:1"), proxy).repository).toBe("quay.io/a/b");
  });

  it("reports upstream images that would meet", () => {
    const images = [read("a.io:5000/x:1"), read("a.io-5000/x:1"), read("b.io/x:1")];
    expect([...collisions(images, perHost)]).toEqual([
      ["harbor.test:8443/a.io-5000/x:1", ["a.io:5000/x:1", "a.io-5000/x:1"]],
    ]);
  });
});

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("exceptions of a layout", () => {
  const layout: MirrorLayout = {
    ...perHost,
    exempt: ["nvcr.io"],
    images: {
      "nvcr.io/nvidia/tritonserver": "gpu.test/nvidia/triton",
      "kserve/agent:v1": `harbor.test:8443/own/agent:v1-hardened@${DIGEST}`,
    },
  };

  it.each([
    ["nvcr.io/nvidia/tritonserver:23.05-py3", "gpu.test/nvidia/triton:23.05-py3"],
    [`nvcr.io/nvidia/tritonserver@${DIGEST}`, `gpu.test/nvidia/triton@${DIGEST}`],
    ["docker.io/kserve/agent:v1", `harbor.test:8443/own/agent:v1-hardened@${DIGEST}`],
    [
      `kserve/agent:v1@sha256:${"b".repeat(64)}`,
      `harbor.test:8443/own/agent:v1-hardened@${DIGEST}`,
    ],
    ["kserve/agent:v2", "harbor.test:8443/docker.io/kserve/agent:v2"],
    ["nvcr.io/nvidia/tritonserver-extra:1", "nvcr.io/nvidia/tritonserver-extra:1"],
  ])("puts %s at %s", (upstream, expected) => {
    expect(formatReference(mirror(read(upstream), layout))).toBe(expected);
  });

  it("keeps tag and digest of a whole repository, and is done after one step", () => {
    fc.assert(
      fc.property(references, references, (upstream, place) => {
        const bare = ({ host, repository }: ImageReference): string => `${host}/${repository}`;
        const moved = { ...perHost, images: { [bare(upstream)]: bare(place) } };
        fc.pre(bare(upstream) !== bare(place));
        const mirrored = mirror(upstream, moved);
        expect(bare(mirrored)).toBe(bare(place));
        expect([mirrored.tag, mirrored.digest]).toEqual([upstream.tag, upstream.digest]);
        expect(mirror(mirrored, moved)).toEqual(mirrored);
        expect(isAllowed(mirrored, moved)).toBe(true);
      }),
    );
  });

  it("allows the place of an exception, and nothing beside it", () => {
    expect(isAllowed(read("gpu.test/nvidia/triton:1"), layout)).toBe(true);
    expect(isAllowed(read("gpu.test/nvidia/triton-extra:1"), layout)).toBe(false);
  });

  it("reports exceptions that meet, and those that spread or rename the tags of a repository", () => {
    const images = { "a.io/x:1": "h.test/z:1", "b.io/y:1": "h.test/z:1", "c.io/w": "h.test/w:9" };
    const all = ["a.io/x:1", "a.io/x:2", "b.io/y:1", "c.io/w:1", "c.io/v:1"].map(read);
    const odd = { ...perHost, images };
    expect([...collisions(all, odd).keys()]).toEqual(["h.test/z:1"]);
    expect([...splits(all, odd)]).toEqual([
      ["a.io/x", ["h.test/z", "harbor.test:8443/a.io/x"]],
      ["c.io/w", ["h.test/w:9"]],
    ]);
  });
});

describe("proxy-cache projects", () => {
  const images = ["kserve/agent:v1", "quay.io/a/b:1"].map(read);

  it("are named by upstream host, or as the stack says", () => {
    expect(["docker.io", "quay.io"].map((host) => projectOf(host, proxy))).toEqual([
      "hub-proxy",
      "quay.io",
    ]);
    expect(projectOf("quay.io", single)).toBe("kserve");
  });

  it("cannot be shared by two upstream hosts, as projects that are pushed to can", () => {
    const both = { ...proxy, projects: { "docker.io": "cache", "quay.io": "cache" } };
    expect([...sharedProxies(images, both)]).toEqual([["cache", ["docker.io", "quay.io"]]]);
    expect(sharedProxies(images, proxy).size).toBe(0);
    expect(sharedProxies(images, { ...both, layout: "project-per-host" }).size).toBe(0);
  });
});

describe("isExempt", () => {
  it("ends prefixes at path components", () => {
    expect(isExempt(read("docker.io/kserve/agent:v1"), ["docker.io/kserve"])).toBe(true);
    expect(isExempt(read("docker.io/kserve-extra/agent:v1"), ["docker.io/kserve"])).toBe(false);
    expect(isExempt(read("docker.io/kserve/agent:v1"), ["docker.io"])).toBe(true);
    expect(isExempt(read("docker.iox/kserve/agent:v1"), ["docker.io"])).toBe(false);
  });
});
