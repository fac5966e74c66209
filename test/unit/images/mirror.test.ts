import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collisions, isAllowed, isExempt, mirror } from "../../../images/mirror.ts";
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
      fc.property(references, fc.constantFrom(perHost, single), (reference, layout) => {
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
      fc.property(references, references, (one, two) => {
        fc.pre(distinct(one, two));
        expect(formatReference(mirror(one, perHost))).not.toBe(
          formatReference(mirror(two, perHost)),
        );
      }),
    );
  });

  it("reports upstream images that would meet", () => {
    const images = [read("a.io:5000/x:1"), read("a.io-5000/x:1"), read("b.io/x:1")];
    expect([...collisions(images, perHost)]).toEqual([
      ["harbor.test:8443/a.io-5000/x:1", ["a.io:5000/x:1", "a.io-5000/x:1"]],
    ]);
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
