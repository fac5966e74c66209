import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atPath, fromPaths, mergeValues } from "../../../plan/values/merge.ts";

describe("mergeValues", () => {
  it("merges maps deeply and replaces lists and scalars", () => {
    expect(mergeValues({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3] }, d: { e: 1 } })).toEqual({
      a: { b: 1, c: [3] },
      d: { e: 1 },
    });
  });

  it("lets the last one win and changes none of its arguments", () => {
    const values = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue());
    fc.assert(
      fc.property(values, values, (left, right) => {
        const before = JSON.stringify([left, right]);
        const merged = mergeValues(left, right);
        expect(JSON.stringify([left, right])).toBe(before);
        expect(mergeValues(merged, right)).toEqual(merged);
      }),
    );
  });
});

describe("fromPaths", () => {
  it("builds nested maps and leaves out what is not there", () => {
    expect(atPath("a.b.c", 1)).toEqual({ a: { b: { c: 1 } } });
    expect(
      fromPaths([
        ["a.b", 1],
        ["a.c", false],
        [undefined, 2],
        ["x", undefined],
      ]),
    ).toEqual({ a: { b: 1, c: false } });
  });
});
