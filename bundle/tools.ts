/** A program to carry, as its project publishes it. */
export interface ToolFile {
  readonly name: string;
  readonly version: string;
  /** Path below the bundle's folder. */
  readonly file: string;
  readonly url: string;
  /** Where its SHA-256 is published. */
  readonly checksumUrl: string;
  /** Lower case hex in the text at `checksumUrl`; `undefined` when the text does not have it. */
  readonly readChecksum: (text: string) => string | undefined;
}
