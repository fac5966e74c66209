import { describe, expect, it } from "vitest";
import { formatLock, lockImages, parseLock } from "../../../images/lock.ts";
import type { LockableImage, LockFile } from "../../../images/lock.ts";

const ONE = `sha256:${"1".repeat(64)}`;
const TWO = `sha256:${"2".repeat(64)}`;

function use(upstream: string, more: Partial<LockableImage> = {}): LockableImage {
  return { layer: "KServeCore", upstream, image: upstream, usedBy: "x", ...more };
}

function lock(images: LockFile["images"]): LockFile {
  return { lockVersion: 1, mode: "Serverless", releases: {}, images };
}

describe("lockImages", () => {
  it("says who vouches for a digest: registry, catalog, nobody", () => {
    const pinned = use(`h.io/b:1@${ONE}`);
    const { images } = lockImages(
      [use("h.io/c:1"), pinned, use("h.io/a:1")],
      new Map([["h.io/a:1", TWO]]),
    );
    expect(images).toMatchObject([
      { image: "h.io/a:1", digest: TWO, from: "registry" },
      { image: "h.io/b:1", digest: ONE, from: "catalog" },
      { image: "h.io/c:1", from: "tag" },
    ]);
    expect(images[2]).not.toHaveProperty("digest");
  });

  it("lets a registry confirm the catalog and never overrule it", () => {
    const images = [use(`h.io/b:1@${ONE}`)];
    expect(lockImages(images, new Map([["h.io/b:1", ONE]])).images).toMatchObject([
      { from: "registry" },
    ]);
    const { images: locked, moved } = lockImages(images, new Map([["h.io/b:1", TWO]]));
    expect(locked).toMatchObject([{ digest: ONE, from: "catalog" }]);
    expect(moved).toEqual([{ image: "h.io/b:1", expected: ONE, by: "catalog", found: TWO }]);
  });

  it("keeps what a registry said before when it is silent, and reports what it says anew", () => {
    const { images } = lockImages([use("h.io/a:1")], new Map([["h.io/a:1", ONE]]));
    expect(lockImages([use("h.io/a:1")], new Map(), lock(images)).images).toEqual(images);
    const again = lockImages([use("h.io/a:1")], new Map([["h.io/a:1", TWO]]), lock(images));
    expect(again.moved).toMatchObject([{ by: "lock file", expected: ONE, found: TWO }]);
    expect(again.images).toMatchObject([{ digest: TWO }]);
  });

  it("gives the same bytes whatever the order, and one entry for many uses", () => {
    const uses = [
      use("h.io/a:1", { optional: "llm" }),
      use("h.io/a:1", { usedBy: "y" }),
      use("h.io/b:1"),
    ];
    const text = (list: LockableImage[]): string =>
      formatLock(lock(lockImages(list, new Map()).images));
    expect(text(uses)).toBe(text(uses.toReversed()));
    const { images } = lockImages(uses, new Map());
    expect(images.map(({ image }) => image)).toEqual(["h.io/a:1", "h.io/b:1"]);
    expect(images[0]).not.toHaveProperty("optional");
    expect(parseLock(text(uses))?.images).toEqual(images);
  });

  it.each(["", "{}", "[1]", '{"lockVersion": 2}'])("reads %j as no lock file", (text) => {
    expect(parseLock(text)).toBeUndefined();
  });
});
