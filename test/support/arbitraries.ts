import fc from "fast-check";
import type { ImageReference } from "../../images/reference.ts";

const lower = "abcdefghijklmnopqrstuvwxyz0123456789";
const word = fc.string({ unit: fc.constantFrom(...lower), minLength: 1, maxLength: 8 });
const component = fc
  .tuple(
    word,
    fc.array(fc.tuple(fc.constantFrom(".", "_", "__", "-", "--"), word), { maxLength: 2 }),
  )
  .map(([first, rest]) => first + rest.map(([separator, part]) => separator + part).join(""));
const domain = fc
  .tuple(word, fc.constantFrom("io", "com", "local"))
  .map((parts) => parts.join("."));
const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
const host = fc
  .oneof(domain, fc.constant("localhost"), fc.ipV4())
  .chain((name) =>
    port.map((number) => (number === undefined ? name : `${name}:${String(number)}`)),
  );
const digest = fc.string({
  unit: fc.constantFrom(..."0123456789abcdef"),
  minLength: 64,
  maxLength: 64,
});

/** References in their full form, with and without tag, digest and port. */
export const references: fc.Arbitrary<ImageReference> = fc
  .record({
    host,
    repository: fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/")),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(
      digest.map((hex) => `sha256:${hex}`),
      { nil: undefined },
    ),
  })
  .map(({ tag, digest: sum, ...name }) => ({
    ...name,
    ...(tag === undefined ? {} : { tag }),
    ...(sum === undefined ? {} : { digest: sum }),
  }));
