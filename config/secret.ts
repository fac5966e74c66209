import { inspect } from "node:util";

/**
 * A value that came from a Pulumi secret. It prints as `[secret]` everywhere: in templates, JSON, logs and
 * debuggers. Only a component that hands it to the engine as `pulumi.secret(…)` may reveal it.
 */
export class Secret {
  readonly #value: string | undefined;

  /** `undefined` when only the encrypted form is at hand (a stack file read without its passphrase). */
  constructor(value: string | undefined) {
    this.#value = value;
  }

  /** The clear text. Throws when it is not at hand. */
  reveal(): string {
    if (this.#value === undefined)
      throw new Error("this secret is encrypted; only `pulumi` can read it");
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
